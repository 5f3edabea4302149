import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import { bench } from "../../src/commands/bench.ts";
import type { CommandOutcome } from "../../src/commands/command-outcome.ts";
import { parseBenchFlags } from "../../src/inputs/bench-flags.ts";
import { fakeWorld } from "./fake-world.ts";

export interface BenchRun extends CommandOutcome {
  /** What --save-requests wrote, a request each. */
  readonly requests: readonly Record<string, unknown>[];
}

/** `arc-vllm bench` with these flags against a real server, over HTTP and in real time; files are texts by path. */
export async function benchWith(
  baseUrl: string,
  flags: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): Promise<BenchRun> {
  await using models = httpModelStream();
  let saved = "";
  const { files: fakeFiles, ...world } = fakeWorld({}, files);
  const request = parseBenchFlags(
    {
      "base-url": baseUrl,
      model: "m@plain",
      "ignore-eos": "true",
      "certificate-seconds": "0",
      "save-requests": "requests.jsonl",
      ...flags,
    },
    () => undefined,
  );
  const outcome = await bench(request, {
    ...world,
    models,
    loopWatch: null,
    clock: systemClock,
    files: {
      ...fakeFiles,
      append: async (_, text) => {
        saved += text;
      },
    },
  });
  const lines = saved.trim().split("\n");
  return { ...outcome, requests: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

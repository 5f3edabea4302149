import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TruthServer } from "../../../src/ports/truth-server.ts";
import { startTruthProcess } from "../../../src/truth/truth-process.ts";
import { repository, runCli } from "../../e2e/mini-runner.ts";

const engine = process.env["ARC_VLLM_ENGINE_DIR"] ?? join(repository, ".cache/real-vllm");
const results = mkdtempSync(join(tmpdir(), "arc-vllm-agreement-"));
const TTFT_MS = 1000;
const ITL_MS = 20;
/** Relative difference in which two right clients of one server may end. */
const AGREEMENT = 0.02;
/** A neighbour on the two cores makes a client slower, never faster: the best of its repeats is what it can do. */
const REPEATS = 4;

let server: TruthServer;
beforeAll(async () => {
  server = await startTruthProcess(join(repository, "dist/cli.cjs"), ["truth-server"]);
  await server.begin({ ttftMs: TTFT_MS, itlMs: ITL_MS });
});
afterAll(() => server[Symbol.asyncDispose]());

/** What both commands are asked: few streams, so that neither is busy. */
function load(file: string): string[] {
  return [
    ...["--base-url", server.baseUrl, "--model", "m@plain", "--num-prompts", "24", "--max-concurrency", "8"],
    ...["--random-input-len", "32", "--random-output-len", "32", "--ignore-eos"],
    ...["--save-result", "--result-dir", results, "--result-filename", file],
  ];
}

interface Figures {
  readonly ttftMs: number;
  readonly tpotMs: number;
  readonly outputTokS: number;
}

/** The keys are vLLM's, whichever of the two wrote the file. */
function figuresOf(file: string): Figures {
  const result = JSON.parse(readFileSync(join(results, file), "utf8")) as Record<string, number>;
  expect(result).toMatchObject({ completed: 24, total_output_tokens: 24 * 32 });
  const { median_ttft_ms: ttftMs, median_tpot_ms: tpotMs, output_throughput: outputTokS } = result;
  return { ttftMs: Number(ttftMs), tpotMs: Number(tpotMs), outputTokS: Number(outputTokS) };
}

async function ours(): Promise<Figures> {
  const args = ["bench", ...load("ours.json"), "--num-warmups", "0", "--certificate-seconds", "0"];
  await runCli(args, { cwd: results });
  return figuresOf("ours.json");
}

async function theirs(): Promise<Figures> {
  const args = ["bench", "serve", ...load("vllm.json"), "--backend", "vllm", "--dataset-name", "random"];
  const env = { ...process.env, HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1", VLLM_NO_USAGE_STATS: "1" };
  const more = ["--tokenizer", join(engine, "model"), "--disable-tqdm"];
  const child = spawn(join(engine, "venv/bin/vllm"), [...args, ...more], { env, stdio: "ignore" });
  const exitCode = await new Promise((resolve) => child.on("close", resolve));
  expect(exitCode).toBe(0);
  return figuresOf("vllm.json");
}

function best(repeats: readonly Figures[]): Figures {
  return {
    ttftMs: Math.min(...repeats.map(({ ttftMs }) => ttftMs)),
    tpotMs: Math.min(...repeats.map(({ tpotMs }) => tpotMs)),
    outputTokS: Math.max(...repeats.map(({ outputTokS }) => outputTokS)),
  };
}

function apart(a: Figures, b: Figures): number {
  const keys = ["ttftMs", "tpotMs", "outputTokS"] as const;
  return Math.max(...keys.map((key) => Math.abs(a[key] / b[key] - 1)));
}

it("arc-vllm bench agrees with vllm bench serve on a server that is light work for both", async () => {
  const seen: { mine: Figures[]; vllm: Figures[] } = { mine: [], vllm: [] };
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    seen.mine.push(await ours());
    seen.vllm.push(await theirs());
    const [mine, vllm] = [best(seen.mine), best(seen.vllm)];
    // What was sent binds both.
    for (const { ttftMs, tpotMs } of [mine, vllm]) {
      expect(ttftMs).toBeGreaterThan(TTFT_MS - 2);
      expect(tpotMs).toBeGreaterThan(ITL_MS * (1 - AGREEMENT));
    }
    if (apart(mine, vllm) <= AGREEMENT) return;
  }
  expect.fail(`more than 2 % apart in ${REPEATS} repeats: ${JSON.stringify(seen)}`);
});

import { spawnSync } from "node:child_process";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REPORT_END, withoutEndLine } from "../../src/adapters-shell/openssh-end-line.ts";

async function pass(chunks: readonly Buffer[]) {
  const { stderr, reported } = withoutEndLine(Readable.from(chunks, { objectMode: false }));
  const rest = await text(stderr);
  return { rest, end: await Promise.race([reported, Promise.resolve(null)]) };
}

const whole = Buffer.from("warn [1] é\n[arc-vllm script starts]\ntail[arc-vllm script ended 3]\nlate [arc\n");

describe("withoutEndLine()", () => {
  it("takes the line out wherever the stream is cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length)), async (cuts) => {
        const places = [0, ...cuts.sort((one, other) => one - other), whole.length];
        const chunks = places.slice(1).map((to, index) => whole.subarray(places[index], to));
        expect(await pass(chunks.filter((chunk) => chunk.length > 0))).toEqual({
          rest: "warn [1] é\n[arc-vllm script starts]\ntaillate [arc\n",
          end: { ended: "exited", exitCode: 3 },
        });
      }),
    );
  });

  it.each([
    [0, { ended: "exited", exitCode: 0 }],
    [255, { ended: "exited", exitCode: 255 }],
    [137, { ended: "signalled", signal: "SIGKILL" }],
    [143, { ended: "signalled", signal: "SIGTERM" }],
    [192, { ended: "exited", exitCode: 192 }],
  ])("reads status %i", async (status, end) => {
    expect(await pass([Buffer.from(`[arc-vllm script ended ${status}]\n`)])).toEqual({ rest: "", end });
  });

  it("reports nothing when the line is cut off, and gives it back", async () => {
    expect(await pass([Buffer.from("x[arc-vllm script ended 1")])).toEqual({
      rest: "x[arc-vllm script ended 1",
      end: null,
    });
  });
});

describe("REPORT_END", () => {
  it.each(["exit 0", "exit 255", "kill -KILL $$"])(
    "reports the status of %j and nothing of the shell's own",
    (command) => {
      const { stderr } = spawnSync("bash", ["--norc", "-c", REPORT_END, "sh", `echo oops >&2; ${command}`], {
        encoding: "utf8",
      });
      expect(stderr).toMatch(/^oops\n\[arc-vllm script ended (0|255|137)\]\n$/);
    },
  );
});

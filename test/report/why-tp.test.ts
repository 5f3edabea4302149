import { describe, expect, it } from "vitest";
import type { RunRecord } from "../../src/record/run-record.ts";
import { explainLayouts } from "../../src/report/why-tp.ts";
import { exampleDeployment, examplePoint, exampleRecord } from "../fakes/example-record.ts";

function layout(tensorParallel: number, ttftMs: number, tpotMs: number, overrides: Partial<RunRecord> = {}): RunRecord {
  return exampleRecord({
    deployment: exampleDeployment({ tensorParallel }),
    points: [examplePoint({ concurrency: 1, ttftMs, tpotMs, outputTokS: 980 / tpotMs })],
    ...overrides,
  });
}

const single = layout(1, 100.48, 15.19);
const dual = layout(2, 69.22, 21.78);

describe("explainLayouts()", () => {
  it("says why two cards are slower per token for a model that fits one, with the numbers", () => {
    expect(explainLayouts(single, dual)).toEqual([
      "Llama-3.1-8B, one request at a time: tensor parallel 1 against 2",
      "first token: 100.5 -> 69.22 ms (-31.1 %)",
      "every further token: 15.19 -> 21.78 ms (+43.4 %)",
      "one user's speed: 65.83 -> 45.91 tok/s (-30.3 %)",
      "all users' speed: 64.52 -> 45.00 tok/s (-30.3 %)",
      expect.stringMatching(/^The first token comes sooner, .* bound by compute, and 2 cards share the compute\.$/),
      expect.stringMatching(
        /^Every further token comes later, .* all-reduces per layer over PCIe.* at least 6\.59 ms per token/,
      ),
      expect.stringMatching(
        /^As the model fits one card, run 2 independent instances: about 129\.0 tok\/s together against 45\.00/,
      ),
      expect.stringContaining(
        "one card 100.48 ms to the first token and 15.19 ms per token, two cards 69.22 ms and 21.78 ms",
      ),
    ]);
  });

  it("does not depend on which record comes first", () => {
    expect(explainLayouts(dual, single)).toEqual(explainLayouts(single, dual));
  });

  it("explains only what the numbers show", () => {
    const text = explainLayouts(single, layout(2, 120, 9)).join("\n");
    expect(text).not.toContain("The first token comes sooner");
    expect(text).toContain("Every further token comes sooner too");
    expect(text).toContain("run 2 independent instances");
    expect(explainLayouts(single, layout(2, 60, 7)).join("\n")).not.toContain("independent instances");
  });

  it("labels simulated figures", () => {
    expect(explainLayouts({ ...single, simulated: true }, dual)[0]).toMatch(/\(simulated\)$/);
  });

  it("has nothing to say about equal layouts or without a common load point", () => {
    expect(explainLayouts(single, layout(1, 90, 14))).toEqual([]);
    expect(explainLayouts(single, layout(2, 69, 21, { points: [examplePoint({ concurrency: 4 })] }))).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { fitMemory, type MemoryRequest } from "../../src/sim-vllm/memory-model.ts";
import { bytesPerParam } from "../../src/sim-vllm/model-shape.ts";
import { LLAMA_3_8B } from "./llama-3-8b.ts";

function request(over: Partial<MemoryRequest> & { lowBit?: string } = {}): MemoryRequest {
  return {
    model: LLAMA_3_8B,
    bytesPerParam: bytesPerParam(over.lowBit ?? "sym_int4"),
    tensorParallel: 1,
    gpuMemoryUtilization: 0.9,
    maxModelLen: 2048,
    maxNumBatchedTokens: 4000,
    ...over,
  };
}

describe("fitMemory()", () => {
  it.each([
    { lowBit: "fp8", tensorParallel: 1, kvTokens: 36_156 },
    { lowBit: "fp8", tensorParallel: 2, kvTokens: 139_374 },
    { lowBit: "sym_int4", tensorParallel: 1, kvTokens: 64_784 },
    { lowBit: "fp16", tensorParallel: 2, kvTokens: 83_907 },
  ])(
    "leaves $kvTokens tokens of cache for $lowBit on $tensorParallel card(s)",
    ({ lowBit, tensorParallel, kvTokens }) => {
      const verdict = fitMemory(request({ lowBit, tensorParallel }));
      expect(verdict).toMatchObject({ kind: "fits" });
      if (verdict.kind === "fits") expect(Math.abs(verdict.kvTokens / kvTokens - 1)).toBeLessThan(0.005);
    },
  );

  it("says how long a context would fit when the cache is too small", () => {
    expect(fitMemory(request({ maxModelLen: 118_000 }))).toMatchObject({
      kind: "cache-too-small",
      maxLen: expect.any(Number),
    });
  });

  it("finds that fp16 weights of an 8B model do not fit on one card", () => {
    expect(fitMemory(request({ lowBit: "fp16" })).kind).toBe("weights-do-not-fit");
  });

  it("refuses a batch whose logits need one block over 4 GB, as the platform does (ipex-llm#11798)", () => {
    expect(fitMemory(request({ maxNumBatchedTokens: 20_000 })).kind).toBe("block-over-4-gib");
  });
});

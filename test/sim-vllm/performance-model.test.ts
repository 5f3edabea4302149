import { describe, expect, it } from "vitest";
import { bytesPerParam, readModelShape } from "../../src/sim-vllm/model-shape.ts";
import { decodeStepMs, type HostSpeed, prefillStepMs, type Serving } from "../../src/sim-vllm/performance-model.ts";
import { LLAMA_3_8B, serving, TUNED, UNTOUCHED } from "./llama-3-8b.ts";

/** One stream that has its 128-token prompt behind it and half of 128 answer tokens. */
const oneStream = { sequences: 1, contextTokens: 192 };
const tokS = (which: Serving, host: HostSpeed) => 1000 / decodeStepMs(which, host, oneStream);
const within = (value: number, published: number) => Math.abs(value / published - 1);

describe("performance model", () => {
  it.each([
    { cards: 1, firstTokenMs: 100.48, perTokenMs: 15.19 },
    { cards: 2, firstTokenMs: 69.22, perTokenMs: 21.78 },
  ])(
    "meets the published pair of ipex-llm#12190 within 1 % on $cards card(s)",
    ({ cards, firstTokenMs, perTokenMs }) => {
      const which = serving({ tensorParallel: cards });
      expect(within(prefillStepMs(which, TUNED, { sequences: 1, promptTokens: 128 }), firstTokenMs)).toBeLessThan(0.01);
      expect(within(decodeStepMs(which, TUNED, oneStream), perTokenMs)).toBeLessThan(0.01);
    },
  );

  it("stays within 30 % of published figures that it was not calibrated on", () => {
    const qwen7 = readModelShape(
      '{"num_hidden_layers":28,"hidden_size":3584,"intermediate_size":18944,"num_attention_heads":28,"num_key_value_heads":4,"vocab_size":152064}',
    );
    const qwen32 = readModelShape(
      '{"num_hidden_layers":64,"hidden_size":5120,"intermediate_size":27648,"num_attention_heads":40,"num_key_value_heads":8,"vocab_size":152064}',
    );
    if (!qwen7 || !qwen32) throw new Error("a shape could not be read");
    const fp8 = serving({ model: qwen7, bytesPerParam: bytesPerParam("fp8"), tensorParallel: 2 });
    expect(within(decodeStepMs(fp8, TUNED, { sequences: 1, contextTokens: 1280 }), 32.37)).toBeLessThan(0.3);
    expect(within(prefillStepMs(fp8, TUNED, { sequences: 1, promptTokens: 1024 }), 520)).toBeLessThan(0.3);
    const fourCards = serving({ model: qwen32, bytesPerParam: bytesPerParam("sym_int4"), tensorParallel: 4 });
    expect(within(decodeStepMs(fourCards, TUNED, { sequences: 1, contextTokens: 1280 }), 1000 / 29.01)).toBeLessThan(
      0.3,
    );
  });

  it("puts an untouched host where users report it: 14 to 16 tok/s on one card, single digits on two", () => {
    expect(tokS(serving(), UNTOUCHED)).toBeGreaterThan(14);
    expect(tokS(serving(), UNTOUCHED)).toBeLessThan(16.5);
    expect(tokS(serving({ tensorParallel: 2 }), UNTOUCHED)).toBeLessThan(10);
  });

  it("never beats the memory bandwidth of the card", () => {
    const weights = (LLAMA_3_8B.params - LLAMA_3_8B.embedParams) * 0.53125;
    expect(tokS(serving(), TUNED)).toBeLessThan(410e9 / weights);
  });

  it.each<{ name: string; worse: Partial<Serving>; host: HostSpeed }>([
    { name: "more bytes per weight", worse: { bytesPerParam: 1.03125 }, host: TUNED },
    { name: "a slower GPU clock", worse: {}, host: { ...TUNED, gpuMhz: 1200 } },
    { name: "a slower CPU clock", worse: {}, host: { ...TUNED, cpuMhz: 1900 } },
    { name: "the in-tree driver", worse: {}, host: { ...TUNED, driver: "in-tree" } },
    { name: "a planted slow-down", worse: { slowdownPct: 5 }, host: TUNED },
  ])("decodes slower with $name", ({ worse, host }) => {
    expect(tokS(serving(worse), host)).toBeLessThan(tokS(serving(), TUNED) * 0.96);
  });

  it("gives a batch more tokens per second in all and fewer to each stream", () => {
    const eight = decodeStepMs(serving(), TUNED, { sequences: 8, contextTokens: 8 * 192 });
    expect(8 / eight).toBeGreaterThan(5 / decodeStepMs(serving(), TUNED, oneStream));
    expect(eight).toBeGreaterThan(decodeStepMs(serving(), TUNED, oneStream));
  });

  it("prefills longer prompts slower, about in proportion", () => {
    const at = (promptTokens: number) => prefillStepMs(serving(), TUNED, { sequences: 1, promptTokens });
    expect(at(2048) / at(1024)).toBeGreaterThan(1.9);
    expect(at(2048) / at(1024)).toBeLessThan(2);
  });
});

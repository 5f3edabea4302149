import { describe, expect, it } from "vitest";
import { checkFlags, type LaunchedEngine, toArgv } from "../../src/config/engine-flags.ts";
import type { Flags } from "../../src/config/flag-problem.ts";

/** The flags of the command that ipex-llm#12190 and the A770 guide use. */
const A770: Flags = {
  "trust-remote-code": true,
  "gpu-memory-utilization": 0.9,
  device: "xpu",
  dtype: "float16",
  "enforce-eager": true,
  "load-in-low-bit": "fp8",
  "max-model-len": 2048,
  "max-num-batched-tokens": 4000,
  "max-num-seqs": 12,
  "tensor-parallel-size": 2,
};

describe("checkFlags()", () => {
  it("accepts the flags of the A770 guide", () => {
    expect(checkFlags("ipex-llm", A770, [0, 1])).toEqual([]);
  });

  it.each<{ engine: LaunchedEngine; flags: Flags; wanted: string }>([
    { engine: "ipex-llm", flags: { "gpu-memory-utilization": 9 }, wanted: "a number from 0.1 to 1" },
    { engine: "ipex-llm", flags: { "gpu-memory-utilization": 0 }, wanted: "a number from 0.1 to 1" },
    { engine: "ipex-llm", flags: { "max-num-seqs": 0 }, wanted: "an integer of 1 or more" },
    { engine: "ipex-llm", flags: { "max-num-seqs": 1.5 }, wanted: "an integer of 1 or more" },
    { engine: "ipex-llm", flags: { "max-num-seqs": "twelve" }, wanted: "an integer of 1 or more" },
    { engine: "ipex-llm", flags: { "enforce-eager": "yes" }, wanted: "true or false" },
    { engine: "ipex-llm", flags: { device: "cuda" }, wanted: "one of xpu" },
    { engine: "ipex-llm", flags: { "hf-overrides": "not json" }, wanted: "a JSON object on one line" },
    { engine: "ipex-llm", flags: { tokenizer: "a\nb" }, wanted: "one line of text" },
    { engine: "ipex-llm", flags: { port: 8000 }, wanted: '"serve.port" instead of a flag' },
    { engine: "ipex-llm", flags: { "api-key": "hunter2" }, wanted: '"serve.api-key-env" instead of a flag' },
    { engine: "vllm", flags: { "max-model-len": "long" }, wanted: "a number of tokens such as 8192 or 8k, or auto" },
    { engine: "vllm", flags: { "--new-flag": 1 }, wanted: "a flag name without leading dashes" },
  ])("refuses $flags of $engine and says it wants $wanted", ({ engine, flags, wanted }) => {
    expect(checkFlags(engine, flags)).toMatchObject([{ severity: "error", wanted }]);
  });

  it.each([
    { written: "max-model-length", nearest: "max-model-len" },
    { written: "max_model_len", nearest: "max-model-len" },
    { written: "--tensor-paralel-size", nearest: "tensor-parallel-size" },
    { written: "tp", nearest: "tensor-parallel-size" },
    { written: "xyzzy", nearest: null },
  ])("refuses the unknown ipex-llm flag $written and offers $nearest", ({ written, nearest }) => {
    expect(checkFlags("ipex-llm", { [written]: 1 })).toEqual([
      { severity: "error", flag: written, value: "1", wanted: "a flag of ipex-llm", nearest, unknown: true },
    ]);
  });

  it("offers the nearest value of a choice", () => {
    expect(checkFlags("ipex-llm", { "load-in-low-bit": "sym-int4" })).toMatchObject([{ nearest: "sym_int4" }]);
  });

  it("only warns about a flag that a newer vllm may know", () => {
    expect(checkFlags("vllm", { "brand-new-flag": 1 })).toMatchObject([
      { severity: "warning", flag: "brand-new-flag" },
    ]);
  });

  it.each([
    { flag: "device", wanted: /0\.10 took it away/ },
    { flag: "load-in-low-bit", wanted: /"quantization"/ },
  ])("refuses $flag for vllm and says what to do instead", ({ flag, wanted }) => {
    expect(checkFlags("vllm", { [flag]: "xpu" })).toMatchObject([
      { severity: "error", wanted: expect.stringMatching(wanted) },
    ]);
  });

  it("does not repeat a value that may be a secret", () => {
    expect(JSON.stringify(checkFlags("vllm", { "api-key": "hunter2" }))).not.toContain("hunter2");
  });

  it("reports every problem at once", () => {
    const flags = { "max-num-seqs": 0, dtype: "float8", "max-modl-len": 1 };
    expect(checkFlags("ipex-llm", flags).map(({ flag }) => flag)).toEqual(Object.keys(flags));
  });
});

describe("checkFlags() between flags", () => {
  it.each<{ name: string; engine: LaunchedEngine; flags: Flags; cards: number[] | null; wanted: string[] }>([
    {
      name: "a batch shorter than the longest prompt without chunked prefill",
      engine: "ipex-llm",
      flags: { "max-model-len": 8192, "max-num-batched-tokens": 4000 },
      cards: null,
      wanted: ["at least max-model-len (8192), since chunked prefill is off"],
    },
    {
      name: "the same with chunked prefill",
      engine: "ipex-llm",
      flags: { "max-model-len": 8192, "max-num-batched-tokens": 4000, "enable-chunked-prefill": true },
      cards: null,
      wanted: [],
    },
    {
      name: "the same on vllm, which chunks by default",
      engine: "vllm",
      flags: { "max-model-len": 8192, "max-num-batched-tokens": 4000 },
      cards: null,
      wanted: [],
    },
    {
      name: "fewer batched tokens than sequences",
      engine: "vllm",
      flags: { "max-num-batched-tokens": 100, "max-num-seqs": 256 },
      cards: null,
      wanted: ["at least max-num-seqs (256)"],
    },
    {
      name: "more tensor parallel ranks than cards",
      engine: "ipex-llm",
      flags: { "tensor-parallel-size": 2 },
      cards: [0],
      wanted: ['at most 1, since "cards" lists 1 card'],
    },
    {
      name: "more ranks of both kinds than cards",
      engine: "ipex-llm",
      flags: { "tensor-parallel-size": 2, "pipeline-parallel-size": 2 },
      cards: [0, 1, 2],
      wanted: ['times tensor-parallel-size at most 3 ("cards")'],
    },
    {
      name: "AWQ weights with the other integer format",
      engine: "ipex-llm",
      flags: { quantization: "awq", "load-in-low-bit": "sym_int4" },
      cards: null,
      wanted: ["asym_int4 together with quantization awq"],
    },
  ])("judges $name", ({ engine, flags, cards, wanted }) => {
    expect(checkFlags(engine, flags, cards).map((problem) => problem.wanted)).toEqual(wanted);
  });
});

describe("toArgv()", () => {
  it("writes the flags of the A770 guide as the guide does", () => {
    expect(toArgv("ipex-llm", A770).join(" ")).toBe(
      "--device xpu --dtype float16 --enforce-eager --trust-remote-code --gpu-memory-utilization 0.9 " +
        "--load-in-low-bit fp8 --max-model-len 2048 --max-num-batched-tokens 4000 --max-num-seqs 12 " +
        "--tensor-parallel-size 2",
    );
  });

  it.each<{ engine: LaunchedEngine; flags: Flags; argv: string[] }>([
    { engine: "ipex-llm", flags: { "enforce-eager": false }, argv: ["--device", "xpu", "--dtype", "float16"] },
    { engine: "vllm", flags: { "enable-prefix-caching": false }, argv: ["--no-enable-prefix-caching"] },
    { engine: "vllm", flags: { "enforce-eager": true }, argv: ["--enforce-eager"] },
    { engine: "vllm", flags: { "max-model-len": -1 }, argv: ["--max-model-len=-1"] },
    {
      engine: "vllm",
      flags: { "new-switch": false, "new-value": "a b" },
      argv: ["--no-new-switch", "--new-value", "a b"],
    },
  ])("turns $flags of $engine into $argv", ({ engine, flags, argv }) => {
    expect(toArgv(engine, flags)).toEqual(argv);
  });

  it("writes a boolean that vLLM 0.8 wants as a word", () => {
    expect(toArgv("ipex-llm", { "enable-chunked-prefill": false }).slice(-2)).toEqual([
      "--enable-chunked-prefill",
      "false",
    ]);
  });
});

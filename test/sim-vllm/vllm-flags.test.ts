import { describe, expect, it } from "vitest";
import { parseVllmFlags } from "../../src/sim-vllm/vllm-flags.ts";

function flags(line: string, env: Record<string, string> = {}) {
  const parsed = parseVllmFlags(line.split(" "), env);
  if ("usage" in parsed) throw new Error(parsed.usage);
  return parsed.flags;
}

describe("parseVllmFlags()", () => {
  it("reads the command line of the serving image", () => {
    const line =
      "--served-model-name Llama --port 8000 --model /llm/models/Llama --trust-remote-code --block-size 8 --gpu-memory-utilization 0.95 --device xpu --dtype float16 --enforce-eager --load-in-low-bit sym_int4 --max-model-len 2048 --max-num-batched-tokens 4000 --max-num-seqs 12 --tensor-parallel-size 2 --disable-async-output-proc --distributed-executor-backend ray";
    expect(flags(line)).toMatchObject({
      model: "/llm/models/Llama",
      servedModelName: "Llama",
      port: 8000,
      device: "xpu",
      lowBit: "sym_int4",
      maxModelLen: 2048,
      maxNumBatchedTokens: 4000,
      maxNumSeqs: 12,
      tensorParallel: 2,
      gpuMemoryUtilization: 0.95,
    });
  });

  it.each([
    { line: "--model=/m -tp 4", want: { model: "/m", tensorParallel: 4 } },
    { line: "--max_model_len 77", want: { maxModelLen: 77 } },
    { line: "--gpu-memory-util 0.5", want: { gpuMemoryUtilization: 0.5 } },
    { line: "--enable-chunked-prefill --port 1", want: { chunkedPrefill: true, port: 1 } },
    { line: "--enable-chunked-prefill False", want: { chunkedPrefill: false } },
  ])("accepts $line as argparse does", ({ line, want }) => {
    expect(flags(line)).toMatchObject(want);
  });

  it("takes the key from the environment when no flag gives one", () => {
    expect(flags("--port 1", { VLLM_API_KEY: "k" }).apiKey).toBe("k");
  });

  it.each([
    { line: "--model /m --gpu-memory 1 --fast", error: "unrecognized arguments: --fast" },
    { line: "--port eighty", error: "argument --port: invalid int value: 'eighty'" },
    { line: "--port --model", error: "argument --port: expected one argument" },
    { line: "--device gpu", error: "argument --device: invalid choice: 'gpu' (choose from 'auto', 'cuda'" },
    { line: "-tp x", error: "argument --tensor-parallel-size/-tp: invalid int value: 'x'" },
    { line: "--enforce-eager=1", error: "argument --enforce-eager: ignored explicit argument '1'" },
  ])("refuses $line in argparse's words", ({ line, error }) => {
    const parsed = parseVllmFlags(line.split(" "), {});
    expect("usage" in parsed ? parsed.usage : "").toContain(`api_server.py: error: ${error}`);
  });
});

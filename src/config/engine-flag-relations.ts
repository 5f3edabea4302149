import type { EngineDialect } from "./engine-dialect.ts";
import type { FlagProblem, Flags } from "./flag-problem.ts";

/** What is wrong between flags that are each right by themselves. */
export function relationProblems(dialect: EngineDialect, flags: Flags, cards: readonly number[] | null): FlagProblem[] {
  return [...batchProblems(dialect, flags), ...cardProblems(flags, cards), ...lowBitProblems(flags)];
}

/** vLLM's SchedulerConfig refuses both at start, minutes later on a host that loads a model first. */
function batchProblems(dialect: EngineDialect, flags: Flags): FlagProblem[] {
  const batched = plainNumber(flags, "max-num-batched-tokens");
  if (batched === null) return [];

  const problems: FlagProblem[] = [];
  const chunked = flags["enable-chunked-prefill"] ?? dialect.chunkedPrefillByDefault;
  const length = plainNumber(flags, "max-model-len");
  if (chunked === false && length !== null && batched < length) {
    problems.push(
      error("max-num-batched-tokens", batched, `at least max-model-len (${length}), since chunked prefill is off`),
    );
  }
  const sequences = plainNumber(flags, "max-num-seqs");
  if (sequences !== null && batched < sequences) {
    problems.push(error("max-num-batched-tokens", batched, `at least max-num-seqs (${sequences})`));
  }
  return problems;
}

function cardProblems(flags: Flags, cards: readonly number[] | null): FlagProblem[] {
  if (cards === null) return [];
  const tensor = plainNumber(flags, "tensor-parallel-size") ?? 1;
  const pipeline = plainNumber(flags, "pipeline-parallel-size") ?? 1;
  if (tensor * pipeline <= cards.length) return [];
  const count = cards.length === 1 ? "1 card" : `${cards.length} cards`;
  return [
    pipeline === 1
      ? error("tensor-parallel-size", tensor, `at most ${cards.length}, since "cards" lists ${count}`)
      : error("pipeline-parallel-size", pipeline, `times tensor-parallel-size at most ${cards.length} ("cards")`),
  ];
}

/** ipex-llm loads AWQ weights as asym_int4 and GPTQ weights as sym_int4 (its vLLM quick start). */
function lowBitProblems(flags: Flags): FlagProblem[] {
  const quantization = flags["quantization"];
  const wanted = quantization === "awq" ? "asym_int4" : quantization === "gptq" ? "sym_int4" : null;
  const lowBit = flags["load-in-low-bit"];
  if (wanted === null || lowBit === undefined || lowBit === wanted) return [];
  return [
    {
      severity: "warning",
      flag: "load-in-low-bit",
      value: String(lowBit),
      wanted: `${wanted} together with quantization ${quantization}`,
      nearest: wanted,
    },
  ];
}

function error(flag: string, value: number, wanted: string): FlagProblem {
  return { severity: "error", flag, value: String(value), wanted, nearest: null };
}

/** Null when the flag is absent or written with a suffix that is left to the engine. */
function plainNumber(flags: Flags, name: string): number | null {
  const value = flags[name];
  return value !== undefined && /^\d+$/.test(String(value)) ? Number(value) : null;
}

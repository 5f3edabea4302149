import type { Workload } from "../config/run-config.ts";
import { TRACE_OUTPUT } from "../config/workload-of.ts";
import type { BenchFlags, Texts } from "./bench-options.ts";

/** vLLM puts its shared prefix before the random part, so the whole prompt is longer than --random-input-len. */
export function benchPrompts(
  flags: BenchFlags,
  texts: Texts,
): Pick<Workload, "inputTokens" | "outputTokens" | "lengthSpread" | "sharedPrefixTokens" | "prompts"> {
  if (flags.trace !== undefined) return { inputTokens: null, outputTokens: TRACE_OUTPUT };
  const kind = datasetOf(flags, texts);
  if (kind === "random") {
    const { "random-input-len": input = 1024, "random-prefix-len": prefix = 0 } = flags;
    const { "random-output-len": outputTokens = 128, "random-range-ratio": lengthSpread = 0 } = flags;
    return {
      inputTokens: prefix + input,
      outputTokens,
      ...(prefix > 0 && { sharedPrefixTokens: prefix }),
      ...(lengthSpread > 0 && { lengthSpread }),
    };
  }
  const fixed = flags[`${kind}-output-len`] ?? null;
  const outputLengths = fixed === null ? ("file" as const) : ("workload" as const);
  return {
    inputTokens: null,
    outputTokens: fixed ?? USUAL_FILE_OUTPUT,
    prompts: { path: flags["dataset-path"] ?? "", outputLengths },
  };
}

/** vLLM's default for prompts of a file. */
const USUAL_FILE_OUTPUT = 256;

const OF_RANDOM = ["random-input-len", "random-output-len", "random-prefix-len", "random-range-ratio"] as const;

/** Flags of one kind of prompts must not be accepted and then ignored by another. */
export function datasetProblems(flags: BenchFlags, texts: Texts): string[] {
  const kind = datasetOf(flags, texts);
  const without = (names: readonly string[], wanted: string) =>
    names.filter((name) => texts[name] !== undefined).map((name) => `--${name}: found without ${wanted}, wanted both`);
  return [
    ...(kind === "random"
      ? without(["dataset-path"], "--dataset-name custom or sharegpt")
      : OF_RANDOM.filter((name) => texts[name] !== undefined).map(
          (name) => `--${name}: found beside the prompts of a file, wanted one of the two`,
        )),
    ...(kind !== "random" && flags["dataset-path"] === undefined
      ? [`--dataset-path: missing, wanted the file of --dataset-name ${kind}`]
      : []),
    ...(kind === "custom" ? [] : without(["custom-output-len"], "--dataset-name custom")),
    ...(kind === "sharegpt" ? [] : without(["sharegpt-output-len"], "--dataset-name sharegpt")),
  ];
}

/** A file alone says that its prompts are wanted. */
function datasetOf(flags: BenchFlags, texts: Texts) {
  const isFileAlone = texts["dataset-path"] !== undefined && texts["dataset-name"] === undefined;
  return isFileAlone ? "custom" : (flags["dataset-name"] ?? "random");
}

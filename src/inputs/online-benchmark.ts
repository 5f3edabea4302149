import type { Workload } from "../config/run-config.ts";

type Texts = Readonly<Record<string, string | undefined>>;

/** The script decides on all of these itself. */
const DECIDED = [
  ...["num-prompts", "request-rate", "burstiness", "endpoint", "dataset-name", "dataset-path", "random-prefix-len"],
  ...["num-warmups", "repeats", "goodput", "temperature", "save-result", "save-requests"],
  ...["sweep", "trace", "multi-turn", "ramp-up-strategy"],
];

/** What cannot be given beside --online-benchmark. */
export function onlineBenchmarkProblems(texts: Texts, levels: readonly number[] | undefined): string[] {
  const decided = DECIDED.filter((name) => texts[name] !== undefined);
  return [
    ...decided.map((name) => `--${name}: found beside --online-benchmark, which decides on it itself`),
    ...(texts["backend"] === "openai-chat"
      ? ['--backend: found "openai-chat" beside --online-benchmark, which sends to /v1/completions']
      : []),
    ...(levels?.length === 1
      ? []
      : ["--max-concurrency: wanted one number beside --online-benchmark, the script's max_seq"]),
  ];
}

/** The load of vllm_online_benchmark.py max_seq: four times max_seq requests after a warm-up of twice as many. */
export function onlineBenchmarkWorkload(workload: Workload, texts: Texts): Workload {
  const [concurrency = 1] = workload.concurrency;
  return {
    ...workload,
    name: "online-benchmark",
    endpoint: "/v1/completions",
    requestsPerLevel: 4 * concurrency,
    outputTokens: texts["random-output-len"] === undefined ? USUAL_OUTPUT : workload.outputTokens,
    warmupWaves: 2,
    ignoreEos: true,
    temperature: 0,
  };
}

/** The script's default. */
const USUAL_OUTPUT = 512;

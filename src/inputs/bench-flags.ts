import { BENCH_FLAGS } from "./bench-options.ts";
import { CERTIFICATE_SECONDS } from "./certificate-seconds.ts";
import { inputProblems } from "./input-problems.ts";
import { onlineBenchmarkProblems, onlineBenchmarkWorkload } from "./online-benchmark.ts";
import { type OptionTable, type OptionValues, optionsInvalid, parseOptions } from "./option-table.ts";
import type { SweepSpec, UrlServe, Workload } from "./run-config.ts";
import { openSecretBox } from "./secret-box.ts";
import { sweepLevels } from "./workload-of.ts";

/** What `arc-vllm bench` was asked to do. */
export interface BenchRequest {
  readonly serve: UrlServe;
  readonly workload: Workload;
  /** Null: the result is not written. */
  readonly result: { readonly dir: string /** Null: `benchResultName`. */; readonly filename: string | null } | null;
  readonly requestsFile: string | null;
  /** 0: this client is not certified. */
  readonly certificateSeconds: number;
  /** In the shape of ipex-llm's vllm_online_benchmark.py. */
  readonly isOnlineBenchmark: boolean;
}

/** Checks the flags of `arc-vllm bench`, as texts by name without dashes. Throws INPUT_INVALID or SECRET_MISSING. */
export function parseBenchFlags(
  texts: Readonly<Record<string, string | undefined>>,
  secrets: (name: string) => string | undefined,
): BenchRequest {
  const flags = parseOptions(BENCH_FLAGS, { ...defaults(), ...texts }, (name) => `--${name}`);
  const problems = problemsBetween(flags, texts);
  if (problems.length > 0) throw optionsInvalid(problems);
  const isOnlineBenchmark = flags["online-benchmark"] === true;
  return {
    serve: serveOf(flags, secrets),
    workload: isOnlineBenchmark ? onlineBenchmarkWorkload(workloadOf(flags, texts), texts) : workloadOf(flags, texts),
    result:
      flags["save-result"] === true
        ? { dir: flags["result-dir"] ?? ".", filename: flags["result-filename"] ?? null }
        : null,
    requestsFile: flags["save-requests"] ?? null,
    certificateSeconds: flags["certificate-seconds"] ?? CERTIFICATE_SECONDS,
    isOnlineBenchmark,
  };
}

/** File name as vllm bench serve makes it: backend, rate, concurrency, model, local time as digits. */
export function benchResultName({ workload, serve }: BenchRequest, isoNow: string): string {
  const rate = workload.requestRate === null ? "inf" : String(workload.requestRate);
  const concurrency = workload.requestRate === null ? `-concurrency${workload.concurrency.join("_")}` : "";
  const model = (serve.servedModelName.split("/").at(-1) ?? "model").replace(/[^A-Za-z0-9._-]/g, "_");
  const stamp = isoNow.replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `openai-${rate}qps${concurrency}-${model}-${stamp}.json`;
}

type BenchFlags = OptionValues<typeof BENCH_FLAGS>;

function defaults(): Record<string, string> {
  const entries = Object.entries(BENCH_FLAGS as OptionTable);
  return Object.fromEntries(
    entries.flatMap(([name, { defaultText }]) => (defaultText === null ? [] : [[name, defaultText]])),
  );
}

function problemsBetween(flags: BenchFlags, texts: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  if (flags.model === undefined) problems.push("--model: missing, wanted the name of the model as the server lists it");
  const levels = flags["max-concurrency"]?.length ?? 0;
  if (flags["request-rate"] !== null && levels > 1) {
    problems.push(`--max-concurrency: found ${levels} levels beside --request-rate, wanted one`);
  }
  const isOpenLoop = flags["request-rate"] !== null || flags.sweep === "rate";
  if (!isOpenLoop && texts["burstiness"] !== undefined) {
    problems.push("--burstiness: found without --request-rate or --sweep rate, wanted both");
  }
  if ((flags["total-timeout"] ?? 0) <= (flags["stall-timeout"] ?? 0)) {
    problems.push("--total-timeout: not above --stall-timeout");
  }
  problems.push(...datasetProblems(flags, texts), ...sweepProblems(flags, texts));
  if (flags["online-benchmark"] === true) problems.push(...onlineBenchmarkProblems(texts, flags["max-concurrency"]));
  if (flags["result-filename"]?.includes("/"))
    problems.push("--result-filename: found a path, wanted a name (use --result-dir)");
  if (flags["result-filename"] !== undefined && texts["save-result"] === undefined) {
    problems.push("--result-filename: found without --save-result, wanted both");
  }
  return problems;
}

function sweepProblems(flags: BenchFlags, texts: Readonly<Record<string, string | undefined>>): string[] {
  const given = (names: readonly string[]) => names.filter((name) => texts[name] !== undefined);
  const { sweep, "sweep-from": from = 1, "sweep-to": to = 256 } = flags;
  if (sweep === undefined) {
    const alone = given(["sweep-from", "sweep-to", "sweep-good-pct"]);
    return alone.map((name) => `--${name}: found without --sweep, wanted both`);
  }
  const beside = given(sweep === "rate" ? ["request-rate"] : ["request-rate", "max-concurrency"]);
  const problems = beside.map((name) => `--${name}: found beside --sweep ${sweep}, wanted one of the two`);
  if (to <= from) problems.push(`--sweep-to: found ${to}, wanted more than --sweep-from (${from})`);
  const isWhole = Number.isInteger(from) && Number.isInteger(to);
  if (sweep === "concurrency" && (!isWhole || to > 4096)) {
    problems.push(`--sweep-to: concurrency from ${from} to ${to}, wanted integers from 1 to 4096`);
  }
  if (flags.goodput === undefined && given(["sweep-good-pct"]).length > 0) {
    problems.push("--sweep-good-pct: found without --goodput, wanted both");
  }
  return problems;
}

const OF_RANDOM = ["random-input-len", "random-output-len", "random-prefix-len"] as const;

/** Flags of one kind of prompts must not be accepted and then ignored by another. */
function datasetProblems(flags: BenchFlags, texts: Readonly<Record<string, string | undefined>>): string[] {
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
function datasetOf(flags: BenchFlags, texts: Readonly<Record<string, string | undefined>>) {
  const isFileAlone = texts["dataset-path"] !== undefined && texts["dataset-name"] === undefined;
  return isFileAlone ? "custom" : (flags["dataset-name"] ?? "random");
}

function serveOf(flags: BenchFlags, secrets: (name: string) => string | undefined): UrlServe {
  const box = openSecretBox(secrets, {});
  const variable = flags["api-key-env"];
  const apiKey = variable === undefined ? box.apiKey : box.named(variable, "--api-key-env");
  if (box.missing.length > 0) {
    throw inputProblems("the secrets of this run", box.missing, "Set the variable above", "SECRET_MISSING");
  }
  const baseUrl = (flags["base-url"] ?? "").replace(/\/+$/, "").replace(/\/v1$/, "");
  return { engine: "url", baseUrl, servedModelName: flags.model ?? "", readyTimeoutMs: 60_000, apiKey };
}

function workloadOf(flags: BenchFlags, texts: Readonly<Record<string, string | undefined>>): Workload {
  const {
    "request-rate": requestRate = null,
    "stall-timeout": stallTimeoutS = 60,
    "total-timeout": totalTimeoutS = 600,
    endpoint = "/v1/completions",
  } = flags;
  const requestsPerLevel =
    flags.sweep !== undefined && texts["num-prompts"] === undefined ? SWEPT_REQUESTS : (flags["num-prompts"] ?? 1000);
  const { "max-concurrency": levels = [requestsPerLevel] } = flags;
  const fixed = { concurrency: requestRate === null ? levels : [1], requestRate };
  const load = flags.sweep === undefined ? fixed : sweepLevels(sweepOf(flags, flags.sweep));
  const isChat = flags.backend === "openai-chat" && texts["endpoint"] === undefined;
  return {
    name: "bench",
    endpoint: isChat ? "/v1/chat/completions" : endpoint,
    ...promptsOf(flags, texts),
    ...load,
    requestsPerLevel,
    repeats: flags.repeats ?? 1,
    warmupWaves: warmupWaves(flags, load.concurrency),
    seed: flags.seed ?? 0,
    ignoreEos: flags["ignore-eos"] ?? false,
    temperature: flags.temperature ?? 0,
    stallTimeoutMs: stallTimeoutS * 1000,
    totalTimeoutMs: totalTimeoutS * 1000,
    ...(load.requestRate !== null && openLoopOf(flags)),
    ...(flags.goodput !== undefined && { slo: flags.goodput }),
  };
}

/** As many as give a level a p90. */
const SWEPT_REQUESTS = 64;

function sweepOf(flags: BenchFlags, of: SweepSpec["of"]): SweepSpec {
  const { "sweep-from": from = 1, "sweep-to": to = 256, "sweep-good-pct": goodPct = 90 } = flags;
  return { of, from, to, goodPct, minGainPct: 5, refinements: 3 };
}

/** vLLM puts its shared prefix before the random part, so the whole prompt is longer than --random-input-len. */
function promptsOf(flags: BenchFlags, texts: Readonly<Record<string, string | undefined>>) {
  const kind = datasetOf(flags, texts);
  if (kind === "random") {
    const { "random-input-len": input = 1024, "random-prefix-len": prefix = 0 } = flags;
    const outputTokens = flags["random-output-len"] ?? 128;
    return { inputTokens: prefix + input, outputTokens, ...(prefix > 0 && { sharedPrefixTokens: prefix }) };
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

/** vLLM has one word for all gaps: a shape of 1 is Poisson, an infinite one is constant. */
function openLoopOf(flags: BenchFlags): Partial<Workload> {
  const { burstiness = 1 } = flags;
  const cap = flags["max-concurrency"]?.[0];
  return {
    ...(burstiness === Number.POSITIVE_INFINITY && { arrivals: "constant" }),
    ...(burstiness !== 1 && Number.isFinite(burstiness) && { arrivals: "gamma", burstiness }),
    ...(cap !== undefined && { maxConcurrency: cap }),
  };
}

/** vLLM counts warm-up requests, a workload counts waves of `concurrency`. Sending everything at once needs no wave. */
function warmupWaves(flags: BenchFlags, concurrency: readonly number[]): number {
  const wanted = flags["num-warmups"];
  if (wanted !== undefined) return Math.ceil(wanted / Math.max(...concurrency));
  const isAllAtOnce =
    ["max-concurrency", "sweep"].every((name) => flags[name as keyof BenchFlags] === undefined) &&
    flags["request-rate"] === null;
  return isAllAtOnce ? 0 : 2;
}

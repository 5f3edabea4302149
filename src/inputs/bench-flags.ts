import { OPEN_WEBUI_CHAT } from "../config/endpoint-api.ts";
import { inputProblems } from "../config/input-problems.ts";
import type { UrlServe, Workload } from "../config/run-config.ts";
import { benchLoad, loadProblems } from "./bench-load.ts";
import { BENCH_FLAGS, type BenchFlags, type Texts } from "./bench-options.ts";
import { benchPrompts, datasetProblems } from "./bench-prompts.ts";
import { CERTIFICATE_SECONDS } from "./certificate-seconds.ts";
import { onlineBenchmarkProblems, onlineBenchmarkWorkload } from "./online-benchmark.ts";
import { type OptionTable, optionsInvalid, parseOptions } from "./option-table.ts";
import { openSecretBox } from "./secret-box.ts";

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
export function parseBenchFlags(texts: Texts, secrets: (name: string) => string | undefined): BenchRequest {
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

function defaults(): Record<string, string> {
  const entries = Object.entries(BENCH_FLAGS as OptionTable);
  return Object.fromEntries(
    entries.flatMap(([name, { defaultText }]) => (defaultText === null ? [] : [[name, defaultText]])),
  );
}

function problemsBetween(flags: BenchFlags, texts: Texts): string[] {
  const problems: string[] = [];
  if (flags.model === undefined) problems.push("--model: missing, wanted the name of the model as the server lists it");
  if ((flags["total-timeout"] ?? 0) <= (flags["stall-timeout"] ?? 0)) {
    problems.push("--total-timeout: not above --stall-timeout");
  }
  problems.push(...datasetProblems(flags, texts), ...loadProblems(flags, texts));
  if (flags["online-benchmark"] === true) problems.push(...onlineBenchmarkProblems(texts, flags["max-concurrency"]));
  if (flags.endpoint === OPEN_WEBUI_CHAT && flags["ignore-eos"] === true) {
    problems.push(`--ignore-eos: found with --endpoint ${OPEN_WEBUI_CHAT}, which does not pass it on`);
  }
  if (flags["result-filename"]?.includes("/"))
    problems.push("--result-filename: found a path, wanted a name (use --result-dir)");
  if (flags["result-filename"] !== undefined && texts["save-result"] === undefined) {
    problems.push("--result-filename: found without --save-result, wanted both");
  }
  return problems;
}

function serveOf(flags: BenchFlags, secrets: (name: string) => string | undefined): UrlServe {
  const box = openSecretBox(secrets, {});
  const variable = flags["api-key-env"];
  const apiKey = variable === undefined ? box.apiKey : box.named(variable, "--api-key-env");
  if (box.missing.length > 0) {
    throw inputProblems("the secrets of this run", box.missing, "Set the variable above", "SECRET_MISSING");
  }
  const baseUrl = (flags["base-url"] ?? "").replace(/\/+$/, "").replace(/\/v1$/, "");
  const caFile = flags["ca-file"];
  return {
    ...{ engine: "url", baseUrl, servedModelName: flags.model ?? "", readyTimeoutMs: 60_000, apiKey },
    ...(caFile !== undefined && { caFile }),
  };
}

function workloadOf(flags: BenchFlags, texts: Texts): Workload {
  const { "stall-timeout": stallTimeoutS = 60, "total-timeout": totalTimeoutS = 600 } = flags;
  const { endpoint = "/v1/completions" } = flags;
  const isChat = (flags.backend === "openai-chat" || flags["multi-turn"] === true) && texts["endpoint"] === undefined;
  return {
    name: "bench",
    endpoint: isChat ? "/v1/chat/completions" : endpoint,
    ...benchPrompts(flags, texts),
    ...benchLoad(flags, texts),
    repeats: flags.repeats ?? 1,
    seed: flags.seed ?? 0,
    ignoreEos: flags["ignore-eos"] ?? false,
    temperature: flags.temperature ?? 0,
    stallTimeoutMs: stallTimeoutS * 1000,
    totalTimeoutMs: totalTimeoutS * 1000,
    ...(flags.goodput !== undefined && { slo: flags.goodput }),
  };
}

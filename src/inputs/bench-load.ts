import type { SessionSpec, SweepSpec, Workload } from "../config/run-config.ts";
import { sweepLevels, TRACE_REQUESTS, USUAL_TURNS } from "../config/workload-of.ts";
import type { BenchFlags, Texts } from "./bench-options.ts";

/** The fields of a workload that say how requests are sent. */
export type BenchLoad = Pick<Workload, "concurrency" | "requestRate" | "requestsPerLevel" | "warmupWaves"> &
  Partial<Workload>;

/** How `arc-vllm bench` sends its requests: all at once, levels, an open loop with or without a ramp, or a sweep. */
export function benchLoad(flags: BenchFlags, texts: Texts): BenchLoad {
  if (flags.trace !== undefined) return traceLoad(flags, flags.trace, texts);
  const requestRate = flags["ramp-up-end-rps"] ?? flags["request-rate"] ?? null;
  const requestsPerLevel =
    flags.sweep !== undefined && texts["num-prompts"] === undefined ? SWEPT_REQUESTS : (flags["num-prompts"] ?? 1000);
  const { "max-concurrency": levels = [requestsPerLevel] } = flags;
  const fixed = { concurrency: requestRate === null ? levels : [1], requestRate };
  const load = flags.sweep === undefined ? fixed : sweepLevels(sweepOf(flags, flags.sweep));
  return {
    ...load,
    requestsPerLevel,
    warmupWaves: warmupWaves(flags, load),
    ...(load.requestRate !== null && openLoopOf(flags)),
    ...(flags["multi-turn"] === true && { sessions: sessionsOf(flags, texts) }),
  };
}

function sessionsOf(flags: BenchFlags, texts: Texts): SessionSpec {
  const isFile = texts["dataset-path"] !== undefined;
  return {
    turns: flags.turns ?? (isFile ? null : USUAL_TURNS),
    turnInputTokens: isFile ? null : (flags["turn-input-len"] ?? flags["random-input-len"] ?? 1024),
    thinkMs: (flags["think-time"] ?? 0) * 1000,
  };
}

function traceLoad(flags: BenchFlags, path: string, texts: Texts): BenchLoad {
  const { "trace-speed": speed = 1, "trace-block-size": blockTokens = 512, "trace-unit": unit = "ms" } = flags;
  const concurrency = [1];
  return {
    concurrency,
    requestRate: null,
    requestsPerLevel: texts["num-prompts"] === undefined ? TRACE_REQUESTS : (flags["num-prompts"] ?? TRACE_REQUESTS),
    warmupWaves: flags["num-warmups"] ?? 2,
    trace: { path, speed, blockTokens, unit },
    ...capOf(flags),
  };
}

/** As many as give a level a p90. */
const SWEPT_REQUESTS = 64;

function sweepOf(flags: BenchFlags, of: SweepSpec["of"]): SweepSpec {
  const { "sweep-from": from = 1, "sweep-to": to = 256, "sweep-good-pct": goodPct = 90 } = flags;
  return { of, from, to, goodPct, minGainPct: 5, refinements: 3 };
}

/** vLLM has one word for all gaps: a shape of 1 is Poisson, an infinite one is constant. */
function openLoopOf(flags: BenchFlags): Partial<Workload> {
  const { burstiness = 1 } = flags;
  return {
    ...(burstiness === Number.POSITIVE_INFINITY && { arrivals: "constant" }),
    ...(burstiness !== 1 && Number.isFinite(burstiness) && { arrivals: "gamma", burstiness }),
    ...capOf(flags),
    ...(flags["ramp-up-start-rps"] !== undefined && { rampFromRate: flags["ramp-up-start-rps"] }),
    ...(flags["ramp-up-strategy"] === "exponential" && { ramp: "exponential" }),
  };
}

function capOf(flags: BenchFlags): Partial<Workload> {
  const cap = flags["max-concurrency"]?.[0];
  return cap === undefined ? {} : { maxConcurrency: cap };
}

/** vLLM counts warm-up requests, a workload counts waves of `concurrency`. Sending everything at once needs no wave. */
function warmupWaves(flags: BenchFlags, { concurrency, requestRate }: Pick<Workload, "concurrency" | "requestRate">) {
  const wanted = flags["num-warmups"];
  if (wanted !== undefined) return Math.ceil(wanted / Math.max(...concurrency));
  const isAllAtOnce = requestRate === null && flags["max-concurrency"] === undefined && flags.sweep === undefined;
  return isAllAtOnce ? 0 : 2;
}

/** What is wrong between the flags of the load. */
export function loadProblems(flags: BenchFlags, texts: Texts): string[] {
  if (flags.trace !== undefined) return traceProblems(flags, texts);
  const ofTraces = ["trace-speed", "trace-block-size", "trace-unit"].filter((name) => texts[name] !== undefined);
  return [
    ...ofTraces.map((name) => `--${name}: found without --trace, wanted both`),
    ...openLoopProblems(flags, texts),
    ...rampProblems(flags, texts),
    ...sweepProblems(flags, texts),
    ...sessionProblems(flags, texts),
  ];
}

/** A trace says when requests come and how long they are. */
function traceProblems(flags: BenchFlags, texts: Texts): string[] {
  const decided = [
    ...["request-rate", "burstiness", "ramp-up-strategy", "ramp-up-start-rps", "ramp-up-end-rps", "sweep"],
    ...[
      "multi-turn",
      "dataset-name",
      "dataset-path",
      "random-input-len",
      "random-output-len",
      "random-prefix-len",
      "random-range-ratio",
    ],
  ];
  const levels = flags["max-concurrency"]?.length ?? 0;
  return [
    ...decided
      .filter((name) => texts[name] !== undefined)
      .map((name) => `--${name}: found beside --trace, which decides on it itself`),
    ...(levels > 1 ? [`--max-concurrency: found ${levels} levels beside --trace, wanted one`] : []),
  ];
}

function openLoopProblems(flags: BenchFlags, texts: Texts): string[] {
  const problems: string[] = [];
  const levels = flags["max-concurrency"]?.length ?? 0;
  const isOpenLoop = flags["request-rate"] !== null || flags.sweep === "rate" || flags["ramp-up-end-rps"] !== undefined;
  if (isOpenLoop && levels > 1) {
    problems.push(`--max-concurrency: found ${levels} levels beside --request-rate, wanted one`);
  }
  if (!isOpenLoop && texts["burstiness"] !== undefined) {
    problems.push("--burstiness: found without --request-rate or --sweep rate, wanted both");
  }
  return problems;
}

function sessionProblems(flags: BenchFlags, texts: Texts): string[] {
  const given = (...names: string[]) => names.filter((name) => texts[name] !== undefined);
  if (flags["multi-turn"] !== true) {
    const alone = given("turns", "turn-input-len", "think-time");
    return alone.map((name) => `--${name}: found without --multi-turn, wanted both`);
  }
  const problems = given("request-rate", "ramp-up-strategy", "sweep").map(
    (name) => `--${name}: found beside --multi-turn, wanted one of the two`,
  );
  if (texts["endpoint"] === "/v1/completions") {
    problems.push(`--endpoint: found "/v1/completions" beside --multi-turn, wanted one for chats`);
  }
  if (texts["dataset-path"] !== undefined && given("turn-input-len").length > 0) {
    problems.push("--turn-input-len: found beside --dataset-path, wanted one of the two");
  }
  return problems;
}

const OF_RAMPS = ["ramp-up-strategy", "ramp-up-start-rps", "ramp-up-end-rps"] as const;

/** vLLM's three flags of a ramp stand together and replace the rate. */
function rampProblems(flags: BenchFlags, texts: Texts): string[] {
  const given = OF_RAMPS.filter((name) => texts[name] !== undefined);
  if (given.length === 0) return [];
  const missing = OF_RAMPS.filter((name) => texts[name] === undefined);
  const problems = missing.map((name) => `--${name}: missing, wanted beside --${given.join(" and --")}`);
  for (const name of ["request-rate", "sweep"]) {
    if (texts[name] !== undefined) problems.push(`--${name}: found beside --ramp-up-strategy, wanted one of the two`);
  }
  const { "ramp-up-start-rps": start = 0, "ramp-up-end-rps": end = Number.POSITIVE_INFINITY } = flags;
  if (end <= start) problems.push(`--ramp-up-end-rps: found ${end}, wanted more than --ramp-up-start-rps (${start})`);
  return problems;
}

function sweepProblems(flags: BenchFlags, texts: Texts): string[] {
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

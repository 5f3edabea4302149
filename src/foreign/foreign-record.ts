import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { AppError } from "../core/app-error.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import { isEligible } from "../record/eligibility.ts";
import { fingerprintOfFields } from "../record/fingerprint.ts";
import { newRunRecord } from "../record/new-run-record.ts";
import type { RunRecord } from "../record/run-record.ts";
import { validityOf } from "../record/validity.ts";
import type { ForeignLevel, ForeignResult, ForeignShape } from "./foreign-result.ts";

export interface ForeignFile {
  readonly path: string;
  readonly text: string;
  readonly results: readonly ForeignResult[];
}

export interface ForeignOptions {
  /** Names that the record gets, so that it stands beside records of that host and workload. */
  readonly host: string;
  readonly workload: string;
  /** Level of files that do not say it. */
  readonly concurrency: number | null;
  /** Minimum share of complete requests for a valid measurement. */
  readonly minSuccessRatio: number;
  readonly toolVersion: string;
  /** When files do not say when they were measured. */
  readonly isoNow: string;
}

/**
 * One record of result files of another tool: the same level again is a repeat. What the files do not say stays unknown.
 * Throws RECORD_INVALID when they are of different tools, models or shapes, or when a load is not known.
 */
export function foreignRecord(files: readonly ForeignFile[], options: ForeignOptions): RunRecord {
  const results = files.flatMap((file) => file.results.map((result) => ({ path: file.path, result })));
  const [first] = results;
  if (first === undefined) throw new Error("At least one file has to be read");
  requireAlike(results);
  const { tool, toolVersion, model } = first.result;
  const shape = commonShape(results.map(({ result }) => result.shape));
  const points = pointsOf(results, options);
  const startedAt = points.map((point) => point.startedAt).sort()[0] ?? options.isoNow;
  const last = points.map((point) => Date.parse(point.startedAt) + point.durationMs);
  const begun = newRunRecord({
    run: {
      id: `${slug(tool)}-${digestOf(files)}`,
      attempt: 1,
      url: null,
      trigger: "cli",
      startedAt,
      toolVersion: options.toolVersion,
    },
    source: null,
    simulated: false,
    host: options.host,
    workloads: [],
  });
  const record: RunRecord = {
    ...begun,
    run: { ...begun.run, endedAt: new Date(Math.max(...last)).toISOString() },
    state: "complete",
    imported: { tool, toolVersion, model, files: files.map(({ path }) => path.split("/").at(-1) ?? path) },
    points,
    fingerprint: fingerprintOfFields(knownFields(model, shape, options.workload), { host: options.host, tool }),
    validity: validityOf({ points, workloads: [] }, { rules: [], minSuccessRatio: options.minSuccessRatio }),
    warnings: [...new Set(results.flatMap(({ result }) => result.notes.map((note) => `${result.tool}: ${note}`)))],
  };
  return { ...record, eligible: isEligible(record) };
}

function requireAlike(results: readonly { readonly path: string; readonly result: ForeignResult }[]): void {
  const identity = ({ result: { tool, model, shape } }: (typeof results)[number]) => ({ tool, model, ...shape });
  const [first, ...others] = results.map((one) => ({ path: one.path, fields: identity(one) }));
  for (const { path, fields } of others) {
    const name = (Object.keys(fields) as (keyof typeof fields)[]).find((key) =>
      differs(fields[key], first?.fields[key]),
    );
    if (name === undefined || first === undefined) continue;
    throw new AppError("RECORD_INVALID", {
      message: `Cannot import "${path}" together with "${first.path}": ${name} is ${fields[name]}, not ${first.fields[name]}`,
      hint: "Import them one by one, each with a --workload of its own; files of one import are levels and repeats of one measurement",
    });
  }
}

/** What one of two files does not say is no difference. */
function differs<Value>(one: Value, other: Value): boolean {
  return one !== other && (one ?? null) !== null && (other ?? null) !== null;
}

/** What all files say alike. */
function commonShape(shapes: readonly ForeignShape[]): ForeignShape {
  const common = <Key extends keyof ForeignShape>(key: Key): ForeignShape[Key] | null => {
    const [first = null, ...others] = shapes.map((shape) => shape[key]);
    return others.every((value) => value === first) ? first : null;
  };
  return { endpoint: common("endpoint"), inputTokens: common("inputTokens"), outputTokens: common("outputTokens") };
}

function pointsOf(
  results: readonly { readonly path: string; readonly result: ForeignResult }[],
  options: ForeignOptions,
): LoadPoint[] {
  const seen = new Map<string, number>();
  return results.flatMap(({ path, result }) =>
    result.levels.map((level) => {
      const load = loadOf(level, path, options);
      const key = JSON.stringify(load);
      const repeat = seen.get(key) ?? 0;
      seen.set(key, repeat + 1);
      return pointOf(level, { ...load, repeat }, options);
    }),
  );
}

function loadOf({ concurrency, requestRate }: ForeignLevel, path: string, options: ForeignOptions) {
  // As in our own records: an open loop has no level.
  if (requestRate !== null) return { concurrency: 1, requestRate };
  const level = concurrency ?? options.concurrency;
  if (level !== null) return { concurrency: level, requestRate: null };
  throw new AppError("RECORD_INVALID", {
    message: `Cannot import "${path}": it does not say how many requests were in flight`,
    hint: "Give the file of one stage if the tool wrote one (stage_0_lifecycle_metrics.json), or say it with --concurrency",
  });
}

function pointOf(
  level: ForeignLevel,
  load: Pick<LoadPoint, "concurrency" | "requestRate" | "repeat">,
  { workload, isoNow }: ForeignOptions,
): LoadPoint {
  const { ok, requests, durationMs, promptTokens, outputTokens } = level;
  const perSecond = (amount: number | null) =>
    amount === null || durationMs <= 0 ? null : (amount / durationMs) * 1000;
  return {
    workload,
    ...load,
    startedAt: level.startedAt ?? isoNow,
    durationMs,
    requests,
    outcomes: { ok },
    metrics: {
      outputTokS: perSecond(outputTokens),
      totalTokS: perSecond(outputTokens === null || promptTokens === null ? null : outputTokens + promptTokens),
      requestS: perSecond(ok === 0 ? null : ok),
      successRatio: requests === 0 ? 0 : ok / requests,
      promptTokens,
      outputTokens,
      tokensPerChunk: null,
      ttftMs: level.ttftMs,
      firstEventMs: level.firstEventMs,
      tpotMs: level.tpotMs,
      e2eMs: level.e2eMs,
      chunkGapMs: level.chunkGapMs,
      userTokS: level.userTokS,
    },
    warnings: level.failures,
  };
}

/** Under the names that our own fingerprints, and `selectBaseline` for the model, use. */
function knownFields(model: string | null, shape: ForeignShape, workload: string) {
  const fields = {
    "served model": model?.replace(/\/+$/, "").split("/").at(-1) ?? null,
    ...Object.fromEntries(Object.entries(shape).map(([name, value]) => [`workload ${workload}: ${name}`, value])),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Record<
    string,
    string | number
  >;
}

/** The same files give the same name. */
function digestOf(files: readonly ForeignFile[]): string {
  return bytesToHex(sha256(utf8ToBytes(files.map(({ text }) => text).join("\0")))).slice(0, 12);
}

function slug(tool: string): string {
  return tool
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

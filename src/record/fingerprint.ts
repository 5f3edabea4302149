import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Workload } from "../config/run-config.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { canonicalJson } from "./canonical-json.ts";
import { engineFields } from "./engine-fields.ts";
import { levelLabel } from "./level-label.ts";
import type { Fingerprint, RunRecord } from "./run-record.ts";

/** The parts of a record that say what was measured on what. */
export type FingerprintParts = Pick<
  RunRecord,
  "schema" | "simulated" | "host" | "facts" | "deployment" | "workloads" | "points"
> & {
  readonly run: Pick<RunRecord["run"], "toolVersion">;
};

export type Fields = Record<string, string | number | boolean | null>;

/**
 * What must be equal before two records may be compared (hard) and what is shown when it differs (soft).
 * Null without a deployment: nothing was served, so there is nothing to compare.
 */
export function fingerprintOf(parts: FingerprintParts): Fingerprint | null {
  if (parts.deployment === null) return null;
  const engine = engineFields(parts.deployment);
  const hardFields: Fields = {
    schema: parts.schema,
    simulated: parts.simulated,
    // A client of another major version may define a metric differently.
    "client major": Number.parseInt(parts.run.toolVersion, 10) || 0,
    ...gpuFields(parts.facts),
    ...engine.hard,
    ...Object.assign({}, ...parts.workloads.map(workloadFields)),
    ...promptFields(parts.points),
  };
  return fingerprintOfFields(hardFields, { host: parts.host, ...hostFields(parts.facts), ...engine.soft });
}

export function fingerprintOfFields(hardFields: Fields, softFields: Fields): Fingerprint {
  return { hard: digest(hardFields), soft: digest(softFields), hardFields, softFields };
}

/** The part of both fingerprints that comes from the host, by the names that reports use. */
export function hostFingerprintFields(facts: HostFacts): Pick<Fingerprint, "hardFields" | "softFields"> {
  return { hardFields: gpuFields(facts), softFields: hostFields(facts) };
}

export interface FieldDifference {
  readonly field: string;
  readonly baseline: string;
  readonly current: string;
}

/** Fields of either side whose values differ, by name; a field that one side lacks counts as "none". */
export function differingFields(baseline: Fingerprint["hardFields"], current: Fingerprint["hardFields"]) {
  const names = [...new Set([...Object.keys(baseline), ...Object.keys(current)])].sort();
  return names
    .map((field): FieldDifference => ({ field, baseline: shown(baseline[field]), current: shown(current[field]) }))
    .filter((difference) => difference.baseline !== difference.current);
}

function shown(value: Fields[string] | undefined): string {
  return value === undefined || value === null ? "none" : String(value);
}

/** An A770 with 8 GB has the same PCI id as one with 16 GB, so memory belongs to the identity of a card. */
function gpuFields(facts: HostFacts | null): Fields {
  const discrete = facts?.gpus.filter((gpu) => gpu.kind === "discrete") ?? null;
  const describe = (deviceId: string, vramMiB: number | null) =>
    `${deviceId}/${vramMiB === null ? "?" : Math.round(vramMiB / 1024)}GiB`;
  return {
    gpus:
      discrete
        ?.map((gpu) => describe(gpu.deviceId, gpu.vramMiB))
        .sort()
        .join(" ") ?? null,
  };
}

/**
 * `repeats`, the time-outs and the SLO are left out: they change how much is known, not what is measured. So is the
 * path of a prompt or trace file: the digest of the prompts says what was in it.
 */
function workloadFields(workload: Workload): Fields {
  const { name, repeats: _repeats, stallTimeoutMs: _stall, totalTimeoutMs: _total, slo: _slo, ...measured } = workload;
  const { concurrency, prompts, sweep, trace, sessions, ...rest } = measured;
  const fields: Fields = {
    ...rest,
    concurrency: concurrency.join(","),
    ...(sweep && { sweep: canonicalJson(sweep) }),
    ...(sessions && { sessions: canonicalJson(sessions) }),
    ...(trace && { trace: `${trace.speed} times, blocks of ${trace.blockTokens}` }),
    ...(prompts && { "output lengths": prompts.outputLengths }),
  };
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [`workload ${name}: ${key}`, value]));
}

/**
 * The first repeat of each level is enough: the others follow from the same seed, and their number may change. Which
 * levels a sweep tries depends on what it finds, so of those only the first counts.
 */
function promptFields(points: readonly LoadPoint[]): Fields {
  const isFirstOfSweep = (point: LoadPoint) => point === points.find(({ workload }) => workload === point.workload);
  const first = points.filter(
    (point) => point.repeat === 0 && point.promptsSha256 !== undefined && (!point.sweep || isFirstOfSweep(point)),
  );
  return Object.fromEntries(first.map((point) => [`prompts of ${levelLabel(point)}`, point.promptsSha256 ?? null]));
}

function hostFields(facts: HostFacts | null): Fields {
  if (facts === null) return {};
  const dkms = facts.dkms?.filter((module) => module.state === "installed").map((m) => `${m.name}/${m.version}`);
  return {
    os: facts.os?.prettyName ?? null,
    kernel: facts.kernel.running,
    dkms: dkms?.sort().join(" ") ?? null,
    cpu: facts.cpu?.model ?? null,
    "cpu governor": facts.cpu?.governor ?? null,
    "cpu boost": facts.cpu?.boost ?? null,
    "cpu clock": window(facts.cpu?.minMhz, facts.cpu?.maxMhz),
    memoryMiB: facts.memoryMiB,
    docker: facts.docker,
    iommu: facts.iommu ?? null,
    "gpu firmware": facts.firmware?.loaded.join("; ") || null,
    ...Object.assign({}, ...facts.gpus.filter((gpu) => gpu.kind === "discrete").map(cardFields)),
    ...Object.fromEntries(Object.entries(facts.packages).map(([name, { version }]) => [`package ${name}`, version])),
  };
}

function cardFields(gpu: HostFacts["gpus"][number]): Fields {
  return {
    [`gpu ${gpu.bdf} driver`]: gpu.driver,
    [`gpu ${gpu.bdf} resizable BAR`]: gpu.resizableBar,
    [`gpu ${gpu.bdf} clock`]: window(gpu.clock?.minMhz, gpu.clock?.maxMhz),
    // Not its speed, which falls while the card has nothing to do.
    [`gpu ${gpu.bdf} link width`]: gpu.link?.width ?? null,
    [`gpu ${gpu.bdf} graphics firmware`]: gpu.firmwareVersion ?? null,
    [`gpu ${gpu.bdf} power cap`]: gpu.powerCapW == null ? null : `${gpu.powerCapW} W`,
  };
}

function window(minMhz: number | null | undefined, maxMhz: number | null | undefined): string | null {
  if (minMhz == null && maxMhz == null) return null;
  return `${minMhz ?? "?"} to ${maxMhz ?? "?"} MHz`;
}

function digest(fields: Fields): string {
  return `sha256:${bytesToHex(sha256(utf8ToBytes(canonicalJson(fields))))}`;
}

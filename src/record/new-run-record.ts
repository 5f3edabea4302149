import type { GateSpec, Workload } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { Deployment } from "../deploy/deployment.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import type { HostPlan } from "../plan/host-plan.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import type { ProvisionRecord } from "../provision/provision-record.ts";
import type { Certificate } from "../trust/certificate.ts";
import { isEligible } from "./eligibility.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { RunIdentity, RunRecord, SourceIdentity } from "./run-record.ts";
import { validityOf } from "./validity.ts";

export interface NewRunRecord {
  readonly run: Omit<RunIdentity, "endedAt">;
  readonly source: SourceIdentity | null;
  readonly simulated: boolean;
  readonly host: string;
  readonly workloads: readonly Workload[];
}

/** The record of a run that has just begun: partial, not valid yet, nothing measured. */
export function newRunRecord(parts: NewRunRecord): RunRecord {
  return {
    schema: "arc-vllm/v1",
    run: { ...parts.run, endedAt: null },
    source: parts.source,
    simulated: parts.simulated,
    state: "partial",
    host: parts.host,
    facts: null,
    plan: null,
    provision: null,
    deployment: null,
    workloads: parts.workloads,
    points: [],
    fingerprint: null,
    validity: { ok: false, reasons: ["The run has not finished"] },
    eligible: false,
    warnings: [],
    failure: null,
  };
}

export function withFacts(record: RunRecord, facts: HostFacts): RunRecord {
  return { ...record, facts };
}

export function withPlan(record: RunRecord, plan: HostPlan): RunRecord {
  return { ...record, plan };
}

export function withProvision(record: RunRecord, provision: ProvisionRecord): RunRecord {
  return { ...record, provision };
}

export function withDeployment(record: RunRecord, deployment: Deployment): RunRecord {
  const served = { ...record, deployment };
  return { ...served, fingerprint: fingerprintOf(served) };
}

export function withPoint(record: RunRecord, point: LoadPoint): RunRecord {
  return { ...record, points: [...record.points, point] };
}

export function withCertificate(record: RunRecord, certificate: Certificate | null): RunRecord {
  return { ...record, certificate };
}

export function withWarnings(record: RunRecord, warnings: readonly string[]): RunRecord {
  return { ...record, warnings: [...record.warnings, ...warnings] };
}

/** The run ended by an error: it stays partial and can never be a baseline. */
export function withFailure(record: RunRecord, error: unknown, endedAt: string): RunRecord {
  const failure =
    error instanceof AppError
      ? { code: error.code, message: error.message, hint: error.hint }
      : { code: "INTERNAL", message: String(error), hint: "Report this at the project's issue tracker" };
  return {
    ...record,
    run: { ...record.run, endedAt },
    failure,
    validity: { ok: false, reasons: [failure.message] },
    eligible: false,
  };
}

/** The last stage of measuring is done: fingerprint, validity and eligibility are settled from what is there. */
export function completeRecord(record: RunRecord, endedAt: string, gate: Pick<GateSpec, "rules" | "minSuccessRatio">) {
  const complete: RunRecord = {
    ...record,
    run: { ...record.run, endedAt },
    state: "complete",
    fingerprint: fingerprintOf(record),
    validity: validityOf(record, gate),
  };
  return { ...complete, eligible: isEligible(complete) };
}

import type { Workload } from "../config/run-config.ts";
import type { Deployment } from "../deploy/deployment.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import type { HostPlan } from "../plan/host-plan.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import type { ProvisionRecord } from "../provision/provision-record.ts";
import type { Certificate } from "../trust/certificate.ts";

/**
 * One run on one host with one deployment: everything needed to compare it, explain it, and refuse a comparison.
 * Written again after each stage and each load point, so that a killed run leaves a readable partial record.
 */
export interface RunRecord {
  readonly schema: "arc-vllm/v1";
  readonly run: RunIdentity;
  readonly source: SourceIdentity | null;
  /** True for everything the embedded host produced; such a record is never a baseline for a real one. */
  readonly simulated: boolean;
  /** "partial" until the last stage of measuring is done. */
  readonly state: "partial" | "complete";
  /** Pseudonym of the host, its name in the configuration. */
  readonly host: string;
  readonly facts: HostFacts | null;
  readonly plan: HostPlan | null;
  readonly provision: ProvisionRecord | null;
  readonly deployment: Deployment | null;
  readonly workloads: readonly Workload[];
  readonly points: readonly LoadPoint[];
  /** What this client was worth when it measured; null: nobody checked. */
  readonly certificate?: Certificate | null;
  readonly fingerprint: Fingerprint | null;
  readonly validity: Validity;
  /** May be a baseline. */
  readonly eligible: boolean;
  readonly warnings: readonly string[];
  /** Made of result files of another tool, not measured by us. */
  readonly imported?: ImportedFrom;
  /** The failure that ended the run, if one did. */
  readonly failure: { readonly code: string; readonly message: string; readonly hint: string } | null;
}

export interface ImportedFrom {
  readonly tool: string;
  readonly toolVersion: string | null;
  readonly model: string | null;
  /** Names without their folders. */
  readonly files: readonly string[];
}

export interface RunIdentity {
  readonly id: string;
  readonly attempt: number;
  readonly url: string | null;
  readonly trigger: "schedule" | "pull_request" | "push" | "dispatch" | "cli";
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly toolVersion: string;
}

export interface SourceIdentity {
  readonly repo: string | null;
  readonly branch: string | null;
  readonly sha: string | null;
}

/** Hard fields must be equal before two records may be compared; soft fields are shown when they differ. */
export interface Fingerprint {
  /** SHA-256 over the canonical JSON of the fields. */
  readonly hard: string;
  readonly soft: string;
  readonly hardFields: Readonly<Record<string, string | number | boolean | null>>;
  readonly softFields: Readonly<Record<string, string | number | boolean | null>>;
}

export interface Validity {
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

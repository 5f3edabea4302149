import type { GpuFacts, HostFacts } from "../probe/host-facts.ts";

/** What a requirement says of a host, or of one GPU of it. */
export interface Verdict {
  /** Null: the facts do not say. */
  readonly holds: boolean | null;
  readonly found: string;
  readonly wanted: string;
  /** The line or lines it was read from. */
  readonly evidence: string | null;
  /** What a person can do when it does not hold, or to make it known. */
  readonly remedy: string;
}

/** A requirement on the whole host; `want` is the value in the playbook, null when it gives none. */
export interface HostRule {
  readonly scope: "host";
  /** What `want` means, for messages; null: it takes none. */
  readonly want: string | null;
  readonly judge: (facts: HostFacts, want: string) => Verdict;
}

/** A requirement on each discrete Intel GPU. */
export interface GpuRule {
  readonly scope: "gpu";
  readonly want: string | null;
  readonly judge: (facts: HostFacts, want: string, gpu: GpuFacts) => Verdict;
}

export type Rule = HostRule | GpuRule;

export function discreteGpus(facts: HostFacts): readonly GpuFacts[] {
  return facts.gpus.filter((gpu) => gpu.kind === "discrete");
}

/** The lines of the GPU evidence that speak of one card. */
export function gpuEvidence(facts: HostFacts, gpu: GpuFacts): string | null {
  const lines = (facts.evidence["gpus"] ?? "").split("\n").filter((line) => line.includes(gpu.bdf));
  return lines.join("\n") || null;
}

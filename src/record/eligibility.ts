import type { RunRecord } from "./run-record.ts";

/** Whether a record may be a baseline. Pull requests never are: a baseline moves only with what was merged. */
export function isEligible(record: RunRecord): boolean {
  return whyNotEligible(record) === null;
}

/** One reason in words, or null for a record that may be a baseline. */
export function whyNotEligible(record: RunRecord): string | null {
  if (record.state !== "complete") return "the run did not finish";
  if (record.failure !== null) return `the run failed: ${record.failure.message}`;
  if (!record.validity.ok) return `the measurement is not valid: ${record.validity.reasons[0] ?? "no reason given"}`;
  if (record.points.length === 0) return "it holds no load point";
  if (record.fingerprint === null) return "it has no fingerprint";
  if (record.run.trigger === "pull_request") return "runs of pull requests are never baselines";
  return null;
}

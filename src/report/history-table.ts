import { whyNotEligible } from "../record/eligibility.ts";
import { levelLabel } from "../record/level-label.ts";
import type { RunRecord } from "../record/run-record.ts";
import { terminalTable } from "./terminal-table.ts";

/** One row for each record: what it holds and whether it may be a baseline. */
export function historyTable(records: readonly RunRecord[]): string {
  return terminalTable({
    head: ["host", "run", "started", "load points", "baseline"],
    rows: records.map((record) => [
      record.host,
      record.run.id,
      record.run.startedAt.slice(0, 16).replace("T", " "),
      loadsOf(record),
      usableAs(record),
    ]),
    limits: [20, 34, null, 30, 40],
  });
}

function loadsOf({ points }: RunRecord): string {
  return [...new Set(points.map(levelLabel))].join(", ") || "none";
}

function usableAs(record: RunRecord): string {
  const reason = whyNotEligible(record);
  if (reason !== null) return `no: ${reason}`;
  if (!record.eligible) return "no: marked as not eligible";
  if (record.imported !== undefined) return `with allow-imported (${record.imported.tool})`;
  return record.simulated ? "yes (simulated)" : "yes";
}

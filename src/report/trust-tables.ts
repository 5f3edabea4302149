import type { ClientCheck } from "../trust/check-client.ts";
import type { FaultResult } from "../trust/run-fault-cases.ts";
import { formatValue } from "./format-value.ts";
import { terminalTable } from "./terminal-table.ts";

/** One row per load: what this client said against what the truth server had sent. */
export function clientCheckTable(checks: readonly ClientCheck[]): string {
  return terminalTable({
    head: [
      "streams",
      "events/s",
      "came",
      "TTFT err p50 ms",
      "TTFT err p99 ms",
      "TPOT err p99 ms",
      "loop lag p99 ms",
      "CPU us/event",
      "verdict",
    ],
    rows: checks.map((check) => [
      String(check.load.streams),
      String(check.load.eventsPerSecond),
      check.producedEventsPerSecond.toFixed(0),
      formatValue(check.ttftErrorMs?.p50 ?? null),
      formatValue(check.ttftErrorMs?.p99 ?? null),
      formatValue(check.tpotErrorMs?.p99 ?? null),
      formatValue(check.client?.loopDelayP99Ms ?? null),
      formatValue(check.cpuPerEventUs),
      check.problems.length === 0 ? "right" : check.problems.join("\n"),
    ]),
    rightAligned: [0, 1, 2, 3, 4, 5, 6, 7],
    limits: [null, null, null, 8, 8, 8, 8, 8, 34],
  });
}

/** Every fault that was not booked as it was, or how many there were. */
export function faultTable(faults: readonly FaultResult[]): string {
  const wrong = faults.filter(({ ok }) => !ok);
  if (wrong.length === 0) return `All ${faults.length} faults of a server were booked as they were.`;
  return terminalTable({
    head: ["fault", "expected", "found"],
    rows: wrong.map(({ profile, expected, found }) => [profile, expected, found]),
  });
}

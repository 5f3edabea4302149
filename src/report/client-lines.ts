import type { LoadPoint } from "../measure/load-point.ts";
import type { RunRecord } from "../record/run-record.ts";
import type { Certificate } from "../trust/certificate.ts";
import { loadWords } from "../trust/client-load.ts";
import { formatDuration } from "./format-value.ts";

/** What this client was worth and how busy it was while it measured, in one sentence each. */
export function clientLines({ certificate, points, simulated }: RunRecord): string[] {
  const health = clientHealthLine(points);
  return [
    // The embedded host shares its process with this client: neither could be told from the other.
    ...(certificate === undefined || simulated ? [] : [certificateLine(certificate)]),
    ...(health === null ? [] : [health]),
  ];
}

export function certificateLine(certificate: Certificate | null): string {
  if (certificate === null) return "This client is not certified: nobody checked how right it is on its machine.";
  const { load, ttftErrorMs, tpotErrorMs, problems, machine } = certificate;
  const verdict = problems.length === 0 ? "This client is certified for" : "This client failed its check at";
  const ms = (p99: number | undefined, digits: number) =>
    p99 === undefined ? "not known" : `${p99.toFixed(digits)} ms`;
  const errors = `TTFT error p99 ${ms(ttftErrorMs?.p99, 2)}, TPOT error p99 ${ms(tpotErrorMs?.p99, 3)}`;
  return `${verdict} ${loadWords(load)}: ${errors} (${machine.cpu}, ${machine.cores} cores, Node ${machine.node}).`;
}

/** The same as properties of a JUnit test case; a run that was not certified has none. */
export function clientProperties({ certificate }: RunRecord): readonly (readonly [name: string, value: string])[] {
  if (certificate === undefined || certificate === null) return [];
  const { load, ttftErrorMs, tpotErrorMs, problems } = certificate;
  return [
    ["arcvllm.certificate", problems.length === 0 ? "ok" : "failed"],
    ["arcvllm.certificate.streams", String(load.streams)],
    ["arcvllm.certificate.events_per_second", String(Math.round(load.eventsPerSecond))],
    ["arcvllm.certificate.ttft_error_p99_ms", String(ttftErrorMs?.p99 ?? "")],
    ["arcvllm.certificate.tpot_error_p99_ms", String(tpotErrorMs?.p99 ?? "")],
  ];
}

/** The busiest load point decides; null: nobody watched. */
function clientHealthLine(points: readonly LoadPoint[]): string | null {
  const watched = points.flatMap(({ client }) => (client === undefined ? [] : [client]));
  if (watched.length === 0) return null;
  const busiest = Math.max(...watched.map(({ loopUtilization }) => loopUtilization));
  const latest = Math.max(...watched.map(({ loopDelayP99Ms }) => loopDelayP99Ms));
  const collecting = watched.reduce((sum, { gcPauseMs }) => sum + gcPauseMs, 0);
  const busy = `busy for up to ${(busiest * 100).toFixed(0)} % of the time`;
  const late = `up to ${latest.toFixed(1)} ms late (p99)`;
  return `While it measured, its event loop was ${busy} and ${late}; garbage collection took ${formatDuration(collecting)}.`;
}

import type { Certificate } from "../../src/trust/certificate.ts";

/** A client that was right; a test states only what differs. */
export function exampleCertificate(changed: Partial<Certificate> = {}): Certificate {
  return {
    startedAt: "2026-09-24T02:04:00.000Z",
    machine: { cpu: "AMD EPYC", cores: 2, node: "24.1.0" },
    attempts: 1,
    load: { streams: 12, eventsPerSecond: 1200 },
    producedEventsPerSecond: 1198,
    requests: 360,
    ttftErrorMs: { p50: 0.21, p99: 0.62 },
    tpotErrorMs: { p50: 0.001, p99: 0.006 },
    miscounted: 0,
    cpuPerEventUs: 41.5,
    serverUtilization: 0.06,
    client: { loopUtilization: 0.05, loopDelayP99Ms: 0.4, loopDelayMaxMs: 1.9, gcPauseMs: 3, cpuMs: 480 },
    problems: [],
    ...changed,
  };
}

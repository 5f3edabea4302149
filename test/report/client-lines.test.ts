import { describe, expect, it } from "vitest";
import { clientLines, clientProperties } from "../../src/report/client-lines.ts";
import { exampleCertificate } from "../fakes/example-certificate.ts";
import { examplePoint, exampleRecord } from "../fakes/example-record.ts";

const CERTIFIED =
  "This client is certified for 12 streams and 1,200 events/s: TTFT error p99 0.62 ms, TPOT error p99 0.006 ms (AMD EPYC, 2 cores, Node 24.1.0).";

describe("clientLines()", () => {
  it("says what this client was worth and how busy it was at its busiest", () => {
    const busy = { loopUtilization: 0.12, loopDelayP99Ms: 0.4, loopDelayMaxMs: 3, gcPauseMs: 700 };
    const points = [
      examplePoint({ client: busy }),
      examplePoint({ client: { ...busy, loopUtilization: 0.31, loopDelayP99Ms: 0.3 } }),
    ];
    expect(clientLines(exampleRecord({ points, certificate: exampleCertificate() }))).toEqual([
      CERTIFIED,
      "While it measured, its event loop was busy for up to 31 % of the time and up to 0.4 ms late (p99); garbage collection took 1.4 s.",
    ]);
  });

  it.each([
    { title: "no certificate was made", certificate: null, says: [/^This client is not certified/] },
    {
      title: "the check failed",
      certificate: exampleCertificate({ problems: ["TTFT error p99 3.2 ms, over 1 ms"] }),
      says: [/^This client failed its check at 12 streams/],
    },
  ])("says that $title", ({ certificate, says }) => {
    const lines = clientLines(exampleRecord({ certificate }));
    expect(lines).toEqual(says.map((pattern) => expect.stringMatching(pattern)));
  });

  it("has nothing to say about a record from before there were certificates, and about the embedded host", () => {
    expect(clientLines(exampleRecord())).toEqual([]);
    expect(clientLines(exampleRecord({ simulated: true, certificate: null }))).toEqual([]);
  });
});

describe("clientProperties()", () => {
  it("gives JUnit the load and the errors", () => {
    expect(clientProperties(exampleRecord({ certificate: exampleCertificate() }))).toEqual([
      ["arcvllm.certificate", "ok"],
      ["arcvllm.certificate.streams", "12"],
      ["arcvllm.certificate.events_per_second", "1200"],
      ["arcvllm.certificate.ttft_error_p99_ms", "0.62"],
      ["arcvllm.certificate.tpot_error_p99_ms", "0.006"],
    ]);
    expect(clientProperties(exampleRecord({ certificate: null }))).toEqual([]);
  });
});

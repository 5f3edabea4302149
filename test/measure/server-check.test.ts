import { describe, expect, it } from "vitest";
import { outputProbeOf } from "../../src/bench/output-probe.ts";
import type { Workload } from "../../src/config/run-config.ts";
import { sampleServer, serverCheckOf, serverWarnings } from "../../src/measure/server-check.ts";
import type { ServerCounters } from "../../src/measure/server-counters.ts";
import { toLoadPoint } from "../../src/measure/to-load-point.ts";
import { measuredPoint } from "../fakes/measured-point.ts";
import { brokenTrace, requestTrace } from "../fakes/request-trace.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";

function counters(changed: Partial<ServerCounters> = {}): ServerCounters {
  return {
    promptTokens: 1000,
    generationTokens: 500,
    successes: 10,
    ttft: { sumMs: 1000, count: 10 },
    itl: { sumMs: 5000, count: 490 },
    e2e: null,
    preemptions: 0,
    prefixQueries: 1000,
    prefixHits: 0,
    running: 0,
    waiting: 0,
    kvCacheUsage: 0,
    ...changed,
  };
}

/** Two answers of 5 tokens: TTFT 100 ms, 10 ms per token, 20 prompt tokens each. */
const traces = [requestTrace(), requestTrace({ sentMs: 2000 })];

/** What an honest server counts for them. */
const after = counters({
  promptTokens: 1040,
  generationTokens: 510,
  successes: 12,
  ttft: { sumMs: 1195, count: 12 },
  itl: { sumMs: 5080.4, count: 498 },
  prefixQueries: 1040,
});

describe("serverCheckOf()", () => {
  it("agrees when everything fits, and reports what the server did meanwhile", () => {
    const during = [counters({ running: 2, waiting: 3, kvCacheUsage: 0.5 }), counters({ running: 1 })];
    const check = serverCheckOf([counters(), ...during, after], traces);
    expect(check).toMatchObject({
      verdict: "agrees",
      runningMean: 1.5,
      runningMax: 2,
      waitingMax: 3,
      kvCacheUsageMax: 0.5,
      preemptions: 0,
      prefixHitRatio: 0,
    });
    expect(check.checks.map(({ name, client, server }) => [name, client, server])).toEqual([
      ["output tokens", 10, 10],
      ["prompt tokens", 40, 40],
      ["complete requests", 2, 2],
      ["mean TTFT ms", 100, 97.5],
      ["mean time per token ms", 10, expect.closeTo(10.05, 9)],
    ]);
    expect(serverWarnings(check, 0)).toEqual([]);
  });

  it.each([
    {
      name: "another client uses the server",
      changed: { generationTokens: 600, successes: 20 },
      warns: [
        "Invalid: output tokens: 10 here, 100 by the server's own count; they have to be equal",
        "Invalid: complete requests: 2 here, 10 by the server's own count; they have to be equal",
      ],
    },
    {
      name: "the first tokens arrive late here",
      changed: { ttft: { sumMs: 1100, count: 12 } },
      warns: ["mean TTFT ms: 100 here, 50 by the server's own count; at most 10 ms more are expected here"],
    },
    {
      name: "the tokens arrive at another pace here",
      changed: { itl: { sumMs: 5088, count: 498 } },
      warns: ["mean time per token ms: 10 here, 11 by the server's own count; at most 2 % apart is expected"],
    },
    {
      name: "the prefix cache had answers",
      changed: { prefixHits: 20 },
      warns: ["the server's prefix cache answered 50.0 % of the prompt tokens; none are shared on purpose"],
    },
    {
      name: "the cache was too small",
      changed: { preemptions: 3 },
      warns: ["the server preempted requests 3 times: its cache is full"],
    },
  ])("says so when $name", ({ changed, warns }) => {
    expect(serverWarnings(serverCheckOf([counters(), { ...after, ...changed }], traces), 0)).toEqual(warns);
  });

  it("expects prefix hits when prompts share a prefix", () => {
    const check = serverCheckOf([counters(), { ...after, prefixHits: 20 }], traces);
    expect(serverWarnings(check, 16)).toEqual([]);
  });

  it("checks nothing that it cannot: no metrics, failed requests, metrics of an older server", () => {
    expect(serverCheckOf([], traces).verdict).toBe("not-checked");
    expect(serverCheckOf([counters(), after], [...traces, brokenTrace()])).toMatchObject({ verdict: "not-checked" });
    const bare = { ...after, generationTokens: null, promptTokens: null, successes: null, ttft: null, itl: null };
    expect(serverCheckOf([counters(), bare], traces)).toMatchObject({ verdict: "not-checked", checks: [] });
  });
});

describe("sampleServer()", () => {
  it("reads before, once a second, and after until the server has counted everything", async () => {
    using clock = new VirtualClock();
    let reads = 0;
    const read = async () => counters({ successes: Math.min(reads++, 5) });
    const { samples, result } = await sampleServer(
      read,
      clock,
      async () => {
        await clock.sleep(2500);
        return "done";
      },
      (_, last) => last.successes === 5,
    );
    expect(result).toBe("done");
    // Before, at 1 s and 2 s, then 3, 4 and 5 until it is settled.
    expect(samples.map(({ successes }) => successes)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("does not look again at a server without metrics", async () => {
    using clock = new VirtualClock();
    let reads = 0;
    const { samples } = await sampleServer(
      async () => {
        reads += 1;
        return null;
      },
      clock,
      () => clock.sleep(5000),
      () => true,
    );
    expect(samples).toEqual([]);
    expect(reads).toBe(1);
  });
});

describe("outputProbeOf()", () => {
  it.each([
    { text: " Mercury is the smallest, Venus the hottest, Earth", problems: [] },
    { text: "!!!!!!!!!!!!!!!!", problems: ['the answer repeats "!"'] },
    { text: " \n ", problems: ["the answer is empty"] },
    { text: "\ufffd\ufffdab\ufffd\ufffdcd\ufffd\ufffd", problems: ["the answer is not valid UTF-8 text"] },
    { text: "a fair answer with one \ufffd in it", problems: [] },
    { text: "ok", problems: [] },
  ])("judges $text", ({ text, problems }) => {
    expect(outputProbeOf(text).problems).toEqual(problems);
  });

  it("marks tokens that the server did not count", () => {
    const estimated = traces.map((trace) => ({ ...trace, tokensEstimated: true }));
    const point = toLoadPoint({ inputTokens: 20, requestRate: null } as Workload, measuredPoint(), estimated);
    expect(point.warnings).toEqual(["tokens are estimated: 2 of 2 answers carry no usage"]);
    expect(point.metrics.outputTokens).toBe(10);
  });

  it("makes a load point invalid when this client was too busy for what it measured", () => {
    const long = [...traces, requestTrace({ rid: "arc-9", sentMs: 7000 })];
    const warn = (
      loopUtilization: number,
      loopDelayP99Ms: number,
      { of = long, rate = null }: { of?: typeof traces; rate?: number | null } = {},
    ) =>
      toLoadPoint(
        { inputTokens: 20, requestRate: rate } as Workload,
        measuredPoint({ client: { loopUtilization, loopDelayP99Ms, loopDelayMaxMs: 9, gcPauseMs: 1 } }),
        of,
      ).warnings;
    const busy = "Invalid: this client was busy for 95 % of the time, at most 80 % is fit for measuring";
    const late = "Invalid: this client's event loop was 2.5 ms late (p99) where chunks come every 10.0 ms";
    expect(warn(0.5, 1.9)).toEqual([]);
    expect(warn(0.95, 0.1)).toEqual([busy]);
    expect(warn(0.5, 2.5)).toEqual([late]);
    expect(warn(0.5, 2.5, { of: traces }), "a few stalls of a short load point").toEqual([]);
    expect(warn(0.95, 0.1, { rate: 1000 }), "turns while it waits for arrivals").toEqual([]);
  });

  it("makes a load point invalid when the model talks nonsense, and warns when its answer changed", () => {
    const warn = (before: string, now: string) =>
      toLoadPoint(
        { inputTokens: 20, requestRate: null } as Workload,
        measuredPoint({ output: outputProbeOf(now), outputBefore: outputProbeOf(before) }),
        traces,
      ).warnings;
    expect(warn("Mercury is near", "Mercury is near")).toEqual([]);
    expect(warn("Mercury is near", "Mercury is far")).toEqual([
      "the greedy answer to a fixed question is not the one from before the run",
    ]);
    expect(warn("!!!!!!!!", "!!!!!!!!")).toEqual(['Invalid: the answer repeats "!" when asked a fixed question']);
  });
});

import type { LoopHealth } from "../ports/loop-watch.ts";
import type { HostTelemetry } from "./host-telemetry.ts";

/** How one request ended. Only "ok" enters latency tables; everything enters denominators. */
export type Outcome =
  | "ok"
  | "http_4xx"
  | "http_429"
  | "http_5xx"
  | "connect"
  | "tls"
  | "reset"
  | "stall_timeout"
  | "total_timeout"
  | "sse_protocol"
  | "midstream_error"
  | "truncated"
  | "length_mismatch"
  | "cancelled";

/** One request, all times monotonic milliseconds; null means it did not happen. */
export interface RequestTrace {
  readonly index: number;
  /** x-request-id we sent. */
  readonly rid: string;
  /** `id` of the chunks. */
  readonly id: string | null;
  readonly outcome: Outcome;
  /** Server's or our words about a failure. */
  readonly detail: string | null;
  readonly httpStatus: number | null;
  /** When the load model wanted it sent; equals `sentMs` in a closed loop. */
  readonly scheduledMs: number;
  readonly sentMs: number;
  readonly headersMs: number | null;
  /** First event of any kind, a role or an error too. */
  readonly firstEventMs: number | null;
  /** First and last event that carries content, reasoning or a tool call, or that the server counts as a token. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  /** First event that carries text or a tool call, not only reasoning. */
  readonly firstVisibleMs: number | null;
  readonly endMs: number;
  readonly promptTokens: number | null;
  /** From the server's usage; without usage known only when the answer was to have a fixed length and reached it. */
  readonly outputTokens: number | null;
  /** `outputTokens` is what was asked for and what the finish reason "length" confirms, not a count of the server's. */
  readonly tokensEstimated: boolean;
  readonly finishReason: string | null;
  /** Arrival of every counted event. */
  readonly chunkMs: Float64Array;
  /** Tokens in each counted event, from usage that the server sent with every chunk; null when it did not. */
  readonly chunkTokens: readonly number[] | null;
  /** Counted events that came in the same read as the one before: many of them mean that this client was late. */
  readonly coalesced: number;
  /** How long it waited for the concurrency cap of an open loop. */
  readonly queuedMs: number;
  /** True when the server had closed an idle connection and the request went out again on a new one. */
  readonly resent: boolean;
  /** Which session it belongs to, from 0, and which turn of it this is, from 1; absent: it stands alone. */
  readonly turn?: { readonly session: number; readonly turn: number };
}

/** All requests of one level of one repeat. Saved as soon as it is finished. */
export interface LoadPoint {
  readonly workload: string;
  readonly concurrency: number;
  readonly requestRate: number | null;
  /** 0-based. */
  readonly repeat: number;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly requests: number;
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  readonly metrics: LoadPointMetrics;
  /** SHA-256 over the prompts in order; runs are alike only when it is equal. */
  readonly promptsSha256?: string;
  /** Present on the levels that a sweep tried: they are judged by the sweep, not each against a baseline. */
  readonly sweep?: true;
  /** Share of the prompt tokens that repeat the start of an earlier prompt on purpose; absent: none, or a shared prefix. */
  readonly repeatedPromptRatio?: number;
  /** The part of the run under full load; null: it was too short. */
  readonly plateau?: Plateau | null;
  /** Figures of each turn of the sessions; absent: requests stand alone. */
  readonly turns?: readonly TurnSummary[];
  /** What the server counted meanwhile, compared with what this client saw. */
  readonly server?: ServerCheck;
  /** A greedy answer to a fixed prompt after the point. */
  readonly output?: OutputProbe;
  /** How busy this client was. */
  readonly client?: LoopHealth;
  /** Clocks, throttling and power of the host meanwhile; absent when nobody looked. */
  readonly host?: HostTelemetry;
  readonly warnings: readonly string[];
}

/** One turn of all sessions. */
export interface TurnSummary {
  /** From 1. */
  readonly turn: number;
  readonly requests: number;
  readonly ok: number;
  /** Length of the whole prompt, history included. */
  readonly promptTokens: Distribution | null;
  readonly ttftMs: Distribution | null;
  readonly tpotMs: Distribution | null;
  readonly e2eMs: Distribution | null;
}

/** Load was whole from `fromMs` after the first request on, for `durationMs`. Latencies of the requests sent in it. */
export interface Plateau {
  readonly fromMs: number;
  readonly durationMs: number;
  readonly requests: number;
  readonly outputTokS: number | null;
  readonly requestS: number | null;
  readonly ttftMs: Distribution | null;
  readonly tpotMs: Distribution | null;
  readonly e2eMs: Distribution | null;
  readonly littlesLaw?: LittlesLaw | null;
}

/**
 * Requests in flight = completions per second x seconds in the system (Little 1961), over the plateau. In an open loop
 * that does not hold while more arrive than are answered; in a closed loop when the plateau is too short.
 */
export interface LittlesLaw {
  /** Mean number of requests in flight, as counted. */
  readonly inFlight: number;
  /** The same from throughput and time. */
  readonly predicted: number;
  /** In flight at the first and at the last moment of the plateau: a difference is a queue that grew. */
  readonly atStart: number;
  readonly atEnd: number;
  /** How far `inFlight` and `predicted` may be apart, as a share of `inFlight`. */
  readonly tolerance: number;
  readonly holds: boolean;
}

/** "not-checked": the server exports nothing that could be compared. */
export interface ServerCheck {
  readonly verdict: "agrees" | "differs" | "not-checked";
  readonly checks: readonly ServerComparison[];
  readonly runningMean: number | null;
  readonly runningMax: number | null;
  readonly waitingMax: number | null;
  /** 0 to 1. */
  readonly kvCacheUsageMax: number | null;
  readonly preemptions: number | null;
  /** Prompt tokens that the prefix cache answered, of all that were looked up. */
  readonly prefixHitRatio: number | null;
}

export interface ServerComparison {
  readonly name: string;
  readonly client: number | null;
  readonly server: number | null;
  readonly ok: boolean;
  /** What had to hold, in words. */
  readonly limit: string;
}

export interface OutputProbe {
  readonly sha256: string;
  /** Start of the text. */
  readonly sample: string;
  /** Why this is not what a sound model says; empty: nothing was noticed. */
  readonly problems: readonly string[];
}

/** Null: not known. Percentiles are linear between order statistics (type 7, as numpy) over ok requests. */
export interface LoadPointMetrics {
  readonly outputTokS: number | null;
  readonly totalTokS: number | null;
  readonly requestS: number | null;
  readonly successRatio: number;
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  readonly tokensPerChunk: number | null;
  readonly ttftMs: Distribution | null;
  readonly tpotMs: Distribution | null;
  readonly e2eMs: Distribution | null;
  readonly chunkGapMs: Distribution | null;
  /** Per-user decode speed: 1000 / TPOT of each request. */
  readonly userTokS: Distribution | null;
  /** From the scheduled time to the response headers, to any first event, to the first text that is not reasoning. */
  readonly headersMs?: Distribution | null;
  readonly firstEventMs?: Distribution | null;
  readonly visibleTtftMs?: Distribution | null;
  /** Token-weighted inter-token latency; null unless the server counts the tokens of every chunk. */
  readonly itlMs?: Distribution | null;
  /** How late requests went out against the schedule, over all requests; 0 in a closed loop. */
  readonly latenessMs?: Distribution | null;
  /** The longest pause inside each answer. */
  readonly longestGapMs?: Distribution | null;
  /** Share of counted events that were read together with the one before. */
  readonly coalescedRatio?: number | null;
  /** Wait for the concurrency cap of an open loop; part of the latency, not of the lateness. */
  readonly queuedMs?: Distribution | null;
  /** Complete requests within every limit of the SLO, of all requests; null without an SLO. */
  readonly goodput?: { readonly ratio: number; readonly requestS: number } | null;
}

export interface Distribution {
  readonly n: number;
  readonly mean: number;
  /** Median, minimum and maximum are always known of what we measured; another tool's file may leave them out. */
  readonly p50: number | null;
  /** Null when n is too small to support the tail (p90 64, p95 130, p99 662: MLPerf's floors). */
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** A load point warning that starts with this makes the whole measurement invalid; others are only shown. */
export const INVALIDATING_WARNING = "Invalid: ";

export function invalidatingWarnings({ warnings }: Pick<LoadPoint, "warnings">): string[] {
  return warnings.filter((warning) => warning.startsWith(INVALIDATING_WARNING));
}

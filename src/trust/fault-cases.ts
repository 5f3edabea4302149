import type { Outcome } from "../measure/load-point.ts";

/** How a request has to be booked that asks for a way to answer (src/truth/fault-profiles.ts), chat, 8 tokens. */
export interface FaultCase {
  readonly profile: string;
  readonly outcome: Outcome;
  /** Events with tokens; null: as many as came by then. */
  readonly chunks: number | null;
  readonly outputTokens: number | null;
  /** Tokens that no usage confirms; absent: false. */
  readonly estimated?: boolean;
  readonly finishReason?: string | null;
  /** Tokens of each event, where the server counts them. */
  readonly chunkTokens?: readonly number[];
  readonly coalesced?: number;
  readonly firstAtLeastMs?: number;
  /** The first text comes later than the first token. */
  readonly visibleLater?: boolean;
  readonly limits?: { readonly stallTimeoutMs?: number; readonly totalTimeoutMs?: number };
  readonly detail?: string;
}

/** Length of every answer. */
export const FAULT_CASE_TOKENS = 8;

export const FAULT_CASES: readonly FaultCase[] = [
  { profile: "plain", outcome: "ok", chunks: 8, outputTokens: 8, finishReason: "length" },
  // The role is not the first token.
  { profile: "role-first", outcome: "ok", chunks: 8, outputTokens: 8, firstAtLeastMs: 45 },
  { profile: "multi", outcome: "ok", chunks: 3, outputTokens: 8 },
  { profile: "reasoning", outcome: "ok", chunks: 8, outputTokens: 8, visibleLater: true },
  { profile: "tool", outcome: "ok", chunks: 8, outputTokens: 8 },
  { profile: "crlf", outcome: "ok", chunks: 8, outputTokens: 8 },
  { profile: "nospace", outcome: "ok", chunks: 8, outputTokens: 8 },
  { profile: "comments", outcome: "ok", chunks: 8, outputTokens: 8 },
  { profile: "split", outcome: "ok", chunks: 8, outputTokens: 8 },
  { profile: "utf8", outcome: "ok", chunks: 8, outputTokens: 8 },
  { profile: "coalesce", outcome: "ok", chunks: 8, outputTokens: 8, coalesced: 6 },
  {
    profile: "early-eos",
    outcome: "length_mismatch",
    chunks: 3,
    outputTokens: 3,
    finishReason: "stop",
    detail: "3 tokens, 8 were asked for",
  },
  { profile: "no-usage", outcome: "ok", chunks: 8, outputTokens: 8, estimated: true },
  { profile: "multi-no-usage", outcome: "ok", chunks: 3, outputTokens: 8, estimated: true },
  { profile: "usage-each", outcome: "ok", chunks: 3, outputTokens: 8, chunkTokens: [3, 3, 2] },
  { profile: "empty-text", outcome: "ok", chunks: 8, outputTokens: 8, chunkTokens: [1, 1, 1, 1, 1, 1, 1, 1] },
  { profile: "huge-event", outcome: "ok", chunks: 8, outputTokens: 8 },
  { profile: "no-done", outcome: "ok", chunks: 8, outputTokens: 8 },
  {
    profile: "no-finish",
    outcome: "truncated",
    chunks: 8,
    outputTokens: null,
    finishReason: null,
    detail: "the stream ends without a finish reason and without [DONE]",
  },
  { profile: "extra-events", outcome: "ok", chunks: 8, outputTokens: 8 },
  {
    profile: "midstream-error",
    outcome: "midstream_error",
    chunks: 3,
    outputTokens: null,
    detail: "EngineCore encountered an issue.",
  },
  {
    profile: "abort",
    outcome: "midstream_error",
    chunks: 3,
    outputTokens: 3,
    detail: 'the server ended the answer with "abort"',
  },
  {
    profile: "stall",
    outcome: "stall_timeout",
    chunks: 3,
    outputTokens: null,
    limits: { stallTimeoutMs: 200 },
    detail: "no event for 200 ms",
  },
  {
    profile: "ping-only",
    outcome: "stall_timeout",
    chunks: 0,
    outputTokens: null,
    limits: { stallTimeoutMs: 200 },
    detail: "no event for 200 ms",
  },
  {
    profile: "drip",
    outcome: "total_timeout",
    chunks: null,
    outputTokens: null,
    limits: { totalTimeoutMs: 600 },
    detail: "not complete after 600 ms",
  },
  { profile: "rst", outcome: "reset", chunks: 3, outputTokens: null },
  { profile: "rst-at-once", outcome: "reset", chunks: 0, outputTokens: null },
  { profile: "cut-body", outcome: "reset", chunks: 3, outputTokens: null },
  {
    profile: "cut-event",
    outcome: "truncated",
    chunks: 3,
    outputTokens: null,
    detail: "the stream ends inside an event",
  },
  {
    profile: "not-json",
    outcome: "sse_protocol",
    chunks: 2,
    outputTokens: null,
    detail: 'an event is not JSON: "oops"',
  },
  { profile: "503", outcome: "http_5xx", chunks: 0, outputTokens: null, detail: "HTTP 503: no slot free" },
  { profile: "429", outcome: "http_429", chunks: 0, outputTokens: null, detail: "HTTP 429: slow down" },
  { profile: "404", outcome: "http_4xx", chunks: 0, outputTokens: null, detail: "HTTP 404: Not Found" },
  { profile: "401", outcome: "http_4xx", chunks: 0, outputTokens: null, detail: "HTTP 401: Unauthorized" },
  { profile: "redirect", outcome: "sse_protocol", chunks: 0, outputTokens: null, detail: "HTTP 307: {}" },
  { profile: "slow-headers", outcome: "ok", chunks: 8, outputTokens: 8, firstAtLeastMs: 75 },
  { profile: "empty", outcome: "truncated", chunks: 0, outputTokens: null, detail: "the stream ends without an event" },
  {
    profile: "only-done",
    outcome: "truncated",
    chunks: 0,
    outputTokens: null,
    detail: "the stream ends without a token",
  },
  {
    profile: "html",
    outcome: "sse_protocol",
    chunks: 0,
    outputTokens: null,
    detail:
      "the answer is text/html; charset=utf-8, text/event-stream is wanted: <!doctype html><title>Welcome</title>",
  },
  { profile: "whole-json", outcome: "sse_protocol", chunks: 0, outputTokens: null },
];

import type { Distribution } from "../measure/load-point.ts";

/** What a file of another tool says, in our units and by our formulas. Null: it does not say. */
export interface ForeignResult {
  readonly tool: string;
  readonly toolVersion: string | null;
  readonly model: string | null;
  readonly shape: ForeignShape;
  readonly levels: readonly ForeignLevel[];
  /** Where the tool measures otherwise than docs/measuring.md says, in words. */
  readonly notes: readonly string[];
}

/** What was asked of the server. */
export interface ForeignShape {
  readonly endpoint: "/v1/completions" | "/v1/chat/completions" | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** One measurement at one load. */
export interface ForeignLevel {
  /** Requests in flight of a closed loop. */
  readonly concurrency: number | null;
  /** Requests per second of an open loop. */
  readonly requestRate: number | null;
  /** ISO 8601. */
  readonly startedAt: string | null;
  readonly durationMs: number;
  readonly requests: number;
  readonly ok: number;
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  readonly ttftMs: Distribution | null;
  readonly firstEventMs: Distribution | null;
  readonly tpotMs: Distribution | null;
  readonly e2eMs: Distribution | null;
  readonly chunkGapMs: Distribution | null;
  readonly userTokS: Distribution | null;
  /** The tool's words about failed requests. */
  readonly failures: readonly string[];
}

/** Reads the values of one kind of file. */
export interface ForeignDialect {
  readonly tool: string;
  /** Whether a JSON object can only be a result of this tool. */
  recognizes(value: Readonly<Record<string, unknown>>): boolean;
  /** Throws a ZodError when something is missing or of another kind. */
  read(value: unknown): ForeignResult;
}

/** The number of tokens of each answer, when the total says that all were alike. */
export function tokensEach(total: number | null, ok: number): number | null {
  return total !== null && ok > 0 && Number.isInteger(total / ok) ? total / ok : null;
}

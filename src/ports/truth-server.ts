/**
 * A model server of our own that knows when it sent what. It runs on this machine, so that its stamps and ours are of
 * one clock (CLOCK_MONOTONIC).
 */
export interface TruthServer extends AsyncDisposable {
  /** Without /v1 and without a slash at the end. */
  readonly baseUrl: string;
  /** Changes the pace of all answers from now on and starts a new log. */
  begin(pace: TruthPace): Promise<void>;
  /** What was sent since the last `begin`. */
  read(): Promise<TruthLog>;
}

export interface TruthPace {
  /** From the request to the first token. */
  readonly ttftMs: number;
  /** From token to token. */
  readonly itlMs: number;
  /** The first so many answers begin later, the last of them by `overMs`, so that they do not go in step. */
  readonly stagger?: { readonly requests: number; readonly overMs: number };
}

export interface TruthLog {
  readonly requests: readonly TruthRequest[];
  /** Busy share of the server's event loop since `begin`, 0 to 1: a busy server is late itself. */
  readonly loopUtilization: number;
}

/** One request as the server saw it; times are monotonic milliseconds. */
export interface TruthRequest {
  /** Its x-request-id. */
  readonly rid: string;
  /** When its head had been read. */
  readonly receivedMs: number;
  /** Just before the first and the last token were handed to the kernel; null: none was. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  readonly tokens: number;
  readonly events: number;
}

/** What a client says about one of its requests, in one vocabulary. Null: it does not say. */
export interface Claim {
  /** The server's number of the request, where the client kept an id or the text that tell. */
  readonly stream: number | null;
  /** The x-request-id that it sent, where it keeps that instead. */
  readonly rid?: string;
  /** CLOCK_MONOTONIC nanoseconds. */
  readonly scheduledNs: number | null;
  readonly startNs: number | null;
  /** From the start of the request, not from when it was due. */
  readonly ttftMs: number | null;
  /** (last token - first token) / (tokens - 1), whatever the client calls that. */
  readonly tpotMs: number | null;
  /** Until the last token. */
  readonly e2eMs: number | null;
  readonly gapsMs: readonly number[] | null;
  readonly tokens: number | null;
  readonly ok: boolean;
  readonly detail: string;
}

/** The number of a request from the id of its chunks. */
export function streamOfId(id: string | null | undefined): number | null {
  const match = /^(?:chat)?cmpl-(\d+)-/.exec(id ?? "");
  return match === null ? null : Number(match[1]);
}

/** The number of a request from the first two words of its text. */
export function streamOfText(text: string | null | undefined): number | null {
  const match = /^\s*w(\d+) w(\d+)(?:\s|$)/.exec(text ?? "");
  return match === null ? null : Number(match[1]) + 1000 * Number(match[2]);
}

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** One completion request as the server did it. Times are CLOCK_MONOTONIC nanoseconds. */
export interface TruthRequest {
  readonly stream: number;
  readonly connection: number;
  readonly model: string;
  readonly rid: string;
  readonly acceptNs: number;
  readonly firstByteNs: number;
  readonly lastByteNs: number;
  readonly headersNs: number;
  readonly endNs: number;
  readonly promptTokens: number;
  readonly askedTokens: number;
  readonly sentTokens: number;
  /** "": it was still going on. */
  readonly ending: "complete" | "error" | "reset" | "refused" | "stalled" | "aborted" | "";
  readonly faulty: boolean;
  readonly streamed: boolean;
  readonly usageSent: boolean;
  readonly blockedWrites: number;
  /** The clock right before the write of each counted event, and how late that was. */
  readonly writeNs: readonly number[];
  readonly lateNs: readonly number[];
  readonly tokens: readonly number[];
}

/** Reads what the server wrote when it ended. */
export async function readTruthLog(path: string): Promise<readonly TruthRequest[]> {
  const requests: TruthRequest[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line !== "") requests.push(JSON.parse(line) as TruthRequest);
  }
  return requests;
}

/** From the first byte of the request to the first token; what a client adds before that is its own error. */
export function trueTtftMs(truth: TruthRequest): number | null {
  const [first] = truth.writeNs;
  return first === undefined ? null : (first - truth.firstByteNs) / 1e6;
}

export function trueE2eMs(truth: TruthRequest): number | null {
  const last = truth.writeNs.at(-1);
  return last === undefined ? null : (last - truth.firstByteNs) / 1e6;
}

export function trueTpotMs(truth: TruthRequest): number | null {
  const [first] = truth.writeNs;
  const last = truth.writeNs.at(-1);
  if (first === undefined || last === undefined || truth.writeNs.length < 2) return null;
  return (last - first) / 1e6 / (truth.sentTokens - 1);
}

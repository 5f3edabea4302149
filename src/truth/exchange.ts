import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TruthPace, TruthRequest } from "../ports/truth-server.ts";
import type { Asked } from "./answer-chunks.ts";

/** One request and the answer to it, with a log of what was written when. */
export interface Exchange {
  readonly asked: Asked;
  readonly pace: TruthPace;
  /** By how much this answer begins later than the pace says. */
  readonly delayMs: number;
  readonly socket: Socket;
  readonly response: ServerResponse;
  readonly log: { -readonly [Field in keyof TruthRequest]: TruthRequest[Field] };
}

/** Monotonic milliseconds, the clock of `Clock.nowMs`. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Sends the head of an event stream. */
export function begin({ response }: Exchange): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.flushHeaders();
}

/** One event, written as it is. */
export function frame(text: string): string {
  return `data: ${text}\n\n`;
}

/** Writes events that hold no token. */
export function write({ socket }: Exchange, text: string): void {
  socket.write(httpChunk(text));
}

/** How many tokens and events some bytes hold. */
export interface Held {
  readonly tokens: number;
  readonly events: number;
}

/**
 * Writes events that hold tokens, stamped just before. Straight to the socket: a response of node:http keeps what it
 * is given until the end of the turn, and the stamp would be early.
 */
export function writeTokens(exchange: Exchange, text: string, held: Held): void {
  const bytes = httpChunk(text);
  stamp(exchange, held);
  exchange.socket.write(bytes);
}

/** Writes bytes in pieces, each of which is likely to be read by itself. Tokens are there when the last piece is. */
export async function writePieces(exchange: Exchange, text: string, pieceBytes: number, held?: Held): Promise<void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    const chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
    if (held !== undefined && at + pieceBytes >= bytes.length) stamp(exchange, held);
    exchange.socket.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function stamp({ log }: Exchange, { tokens, events }: Held): void {
  log.lastMs = nowMs();
  log.firstMs ??= log.lastMs;
  log.tokens += tokens;
  log.events += events;
}

function httpChunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

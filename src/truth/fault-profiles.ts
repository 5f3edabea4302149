import type { ServerResponse } from "node:http";
import { chunkText, type TokenChunk, tokenChunks, toolChunks, utf8Chunks } from "./answer-chunks.ts";
import { begin, type Exchange, frame, pause, write, writeTokens } from "./exchange.ts";
import { type StreamShape, streamAnswer, streamSome } from "./stream-answer.ts";

type Profile = (exchange: Exchange) => void | Promise<void>;

/** Answers whose tokens are as they should be, however they are framed, cut and counted. */
const WHOLE: Readonly<Record<string, Profile>> = {
  plain: (exchange) => streamAnswer(exchange, tokenChunks(exchange.asked)),
  "role-first": async (exchange) => {
    begin(exchange);
    write(exchange, frame(chunkText(exchange.asked, { role: "assistant", content: "" })));
    await streamAnswer(later(exchange, ROLE_AHEAD_MS), tokenChunks(exchange.asked), { begun: true });
  },
  multi: (exchange) => streamAnswer(exchange, tokenChunks(exchange.asked, 3)),
  reasoning: (exchange) => {
    const { asked } = exchange;
    return streamAnswer(exchange, tokenChunks(asked, 1, Math.floor(asked.tokens / 2)));
  },
  tool: (exchange) => streamAnswer(exchange, toolChunks(exchange.asked)),
  crlf: shaped({ frame: (text) => `data: ${text}\r\n\r\n` }),
  nospace: shaped({ frame: (text) => `data:${text}\n\n` }),
  comments: shaped({ frame: (text) => `: ping\n\ndata: ${text}\n\n` }),
  split: shaped({ pieceBytes: 7 }),
  utf8: (exchange) => streamAnswer(exchange, utf8Chunks(exchange.asked), { pieceBytes: 1 }),
  coalesce: shaped({ eventsPerWrite: 4 }),
  "no-usage": shaped({ usage: "none" }),
  "multi-no-usage": (exchange) => streamAnswer(exchange, tokenChunks(exchange.asked, 3), { usage: "none" }),
  "usage-each": (exchange) => streamAnswer(exchange, tokenChunks(exchange.asked, 3), { usage: "each" }),
  "empty-text": (exchange) => streamAnswer(exchange, someEmpty(tokenChunks(exchange.asked)), { usage: "each" }),
  "huge-event": (exchange) => streamAnswer(exchange, oneHuge(tokenChunks(exchange.asked))),
  "no-done": shaped({ done: false }),
  "extra-events": async (exchange) => {
    begin(exchange);
    write(exchange, frame(JSON.stringify({ sources: [{ name: "a" }] })));
    await streamAnswer(exchange, tokenChunks(exchange.asked), { begun: true });
  },
  "slow-headers": async (exchange) => {
    await pause(SLOW_HEADERS_MS);
    await streamAnswer(later(exchange, SLOW_HEADERS_MS), tokenChunks(exchange.asked));
  },
};

const ROLE_AHEAD_MS = 30;
const SLOW_HEADERS_MS = 60;

/** Streams that end early, go wrong or do not end. */
const BROKEN: Readonly<Record<string, Profile>> = {
  "early-eos": (exchange) => streamAnswer(exchange, firstThree(exchange), { finish: "stop" }),
  abort: (exchange) => streamAnswer(exchange, firstThree(exchange), { finish: "abort" }),
  "no-finish": shaped({ finish: null, done: false, usage: "none" }),
  "midstream-error": async (exchange) => {
    await streamSome(exchange, 3);
    endWith(exchange, [
      JSON.stringify({ error: { message: "EngineCore encountered an issue.", code: 500 } }),
      "[DONE]",
    ]);
  },
  "error-at-once": (exchange) => {
    begin(exchange);
    endWith(exchange, [JSON.stringify({ error: { message: "Token id 99999 is out of vocabulary" } }), "[DONE]"]);
  },
  stall: (exchange) => streamSome(exchange, 3),
  "ping-only": (exchange) => {
    begin(exchange);
    everyTenMs(exchange, () => exchange.response.write(": ping\n\n"));
  },
  drip: (exchange) => {
    begin(exchange);
    const text = frame(chunkText(exchange.asked, { content: " w1" }));
    everyTenMs(exchange, () => writeTokens(exchange, text, { tokens: 1, events: 1 }));
  },
  rst: async (exchange) => {
    await streamSome(exchange, 3);
    exchange.socket.resetAndDestroy();
  },
  "rst-at-once": ({ socket }) => void socket.resetAndDestroy(),
  "cut-body": async (exchange) => {
    await streamSome(exchange, 3);
    await pause(5);
    exchange.socket.end();
  },
  "cut-event": async (exchange) => {
    await streamSome(exchange, 3);
    exchange.response.end('data: {"id":"cut');
  },
  "not-json": async (exchange) => {
    await streamSome(exchange, 2);
    write(exchange, frame("oops"));
  },
  empty: (exchange) => {
    begin(exchange);
    exchange.response.end();
  },
  "only-done": (exchange) => {
    begin(exchange);
    endWith(exchange, ["[DONE]"]);
  },
};

/** Answers that are no stream at all. */
const REFUSED: Readonly<Record<string, Profile>> = {
  "503": refusal(503, { error: { message: "no slot free" } }, { "retry-after": "1" }),
  "429": refusal(429, { error: { message: "slow down" } }),
  "404": refusal(404, { detail: "Not Found" }),
  "401": refusal(401, { error: "Unauthorized" }),
  "400": refusal(400, { error: { message: "Token id 99999 is out of vocabulary" } }),
  redirect: refusal(307, {}, { location: "/elsewhere" }),
  html: ({ response }) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end("<!doctype html><title>Welcome</title>");
  },
  "whole-json": refusal(200, { choices: [{ index: 0, text: " w1", finish_reason: "length" }] }),
};

/** Ways to answer, by the word after the `@` of the model's name: `m@crlf` streams with CRLF. */
export const FAULT_PROFILES: Readonly<Record<string, Profile>> = { ...WHOLE, ...BROKEN, ...REFUSED };

export function answerJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

function shaped(shape: StreamShape): Profile {
  return (exchange) => streamAnswer(exchange, tokenChunks(exchange.asked), shape);
}

function refusal(status: number, body: object, headers?: Readonly<Record<string, string>>): Profile {
  return ({ response }) => answerJson(response, status, body, headers);
}

function later(exchange: Exchange, byMs: number): Exchange {
  return { ...exchange, delayMs: exchange.delayMs + byMs };
}

function firstThree({ asked }: Exchange): TokenChunk[] {
  return tokenChunks(asked).slice(0, 3);
}

/** Every fourth token has no text of its own yet, as tokens that are part of a character. */
function someEmpty(chunks: readonly TokenChunk[]): TokenChunk[] {
  return chunks.map((chunk, at) => (at % 4 === 0 ? { ...chunk, delta: { content: "" } } : chunk));
}

/** One event of 200 KiB, as a tool call with a file in it. */
function oneHuge(chunks: readonly TokenChunk[]): TokenChunk[] {
  return chunks.map((chunk, at) => (at === 3 ? { ...chunk, delta: { content: "x".repeat(200 * 1024) } } : chunk));
}

function endWith(exchange: Exchange, texts: readonly string[]): void {
  for (const text of texts) write(exchange, frame(text));
  exchange.response.end();
}

function everyTenMs({ response }: Exchange, work: () => void): void {
  const timer = setInterval(work, 10);
  response.on("close", () => clearInterval(timer));
}

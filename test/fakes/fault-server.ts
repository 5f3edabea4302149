import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What a test may change about the answers; each test states only what differs. */
export interface FaultServerOptions {
  readonly tokens?: number;
  readonly ttftMs?: number;
  readonly itlMs?: number;
}

export interface FaultServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Bodies of the completion requests, parsed, in order of arrival. */
  readonly bodies: Record<string, unknown>[];
  readonly headers: IncomingMessage["headers"][];
  /** Connections that were opened so far, and those open now. */
  readonly connections: () => number;
  readonly openConnections: () => number;
  /** Answers that were cut by the client. */
  readonly aborted: () => number;
}

interface Exchange {
  readonly body: Record<string, unknown>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly options: Required<FaultServerOptions>;
}

type Profile = (exchange: Exchange) => Promise<void>;

/**
 * An OpenAI look-alike on loopback that misbehaves as the model name asks: `m@crlf` streams with CRLF, `m@rst` resets
 * the connection, and so on. One word ` w<n>` is one token.
 */
export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const bodies: Record<string, unknown>[] = [];
  const headers: IncomingMessage["headers"][] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let aborted = 0;
  const wanted = { tokens: 8, ttftMs: 20, itlMs: 3, ...options };

  const server: Server = createServer((request, response) => {
    response.on("close", () => {
      if (!response.writableFinished) aborted += 1;
    });
    void readBody(request).then(async (text) => {
      if (request.url === "/v1/models") return json(response, 200, { data: [{ id: "m", max_model_len: 4096 }] });
      if (request.url === "/tokenize") return json(response, 200, tokenize(JSON.parse(text)));
      if (request.method === "GET") return json(response, 404, { detail: "Not Found" });
      const body = JSON.parse(text) as Record<string, unknown>;
      if (body["stream"] !== true)
        return json(response, 200, { choices: [{ index: 0, text: " Mercury, Venus, Earth" }] });
      bodies.push(body);
      headers.push(request.headers);
      const profile = String(body["model"]).split("@")[1] ?? "plain";
      const tokens = Number(body["max_tokens"] ?? wanted.tokens);
      const answer = PROFILES[profile];
      if (answer === undefined)
        return json(response, 404, { error: { message: `The model \`${profile}\` does not exist.` } });
      await answer({ body, request, response, options: { ...wanted, tokens } });
    });
  });
  server.keepAliveTimeout = 5000;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    headers,
    connections: () => connections,
    openConnections: () => sockets.size,
    aborted: () => aborted,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const PROFILES: Record<string, Profile> = {
  plain: (exchange) => streamed(exchange, tokenChunks(exchange)),
  "role-first": async (exchange) => {
    begin(exchange);
    write(exchange, frame(chunk(exchange, { role: "assistant", content: "" })));
    await pause(30);
    await streamed(exchange, tokenChunks(exchange), { begun: true });
  },
  multi: (exchange) => streamed(exchange, tokenChunks(exchange, 3)),
  reasoning: (exchange) => streamed(exchange, tokenChunks(exchange, 1, Math.floor(exchange.options.tokens / 2))),
  tool: (exchange) =>
    streamed(
      exchange,
      words(exchange).map((word) => ({
        delta: { tool_calls: [{ index: 0, function: { arguments: word } }] },
        tokens: 1,
      })),
    ),
  crlf: (exchange) => streamed(exchange, tokenChunks(exchange), { frame: (text) => `data: ${text}\r\n\r\n` }),
  nospace: (exchange) => streamed(exchange, tokenChunks(exchange), { frame: (text) => `data:${text}\n\n` }),
  comments: (exchange) => streamed(exchange, tokenChunks(exchange), { frame: (text) => `: ping\n\ndata: ${text}\n\n` }),
  split: (exchange) => streamed(exchange, tokenChunks(exchange), { pieceBytes: 7 }),
  utf8: (exchange) => streamed(exchange, utf8Chunks(exchange), { pieceBytes: 1 }),
  coalesce: (exchange) => streamed(exchange, tokenChunks(exchange), { eventsPerWrite: 4 }),
  "early-eos": (exchange) => streamed(exchange, tokenChunks(exchange).slice(0, 3), { finish: "stop" }),
  "no-usage": (exchange) => streamed(exchange, tokenChunks(exchange), { usage: "none" }),
  "multi-no-usage": (exchange) => streamed(exchange, tokenChunks(exchange, 3), { usage: "none" }),
  "usage-each": (exchange) => streamed(exchange, tokenChunks(exchange, 3), { usage: "each" }),
  "empty-text": (exchange) =>
    streamed(
      exchange,
      tokenChunks(exchange).map((each, at) => (at % 4 === 0 ? { ...each, delta: { content: "" } } : each)),
      {
        usage: "each",
      },
    ),
  "no-done": (exchange) => streamed(exchange, tokenChunks(exchange), { done: false }),
  "no-finish": (exchange) => streamed(exchange, tokenChunks(exchange), { finish: null, done: false, usage: "none" }),
  "extra-events": async (exchange) => {
    begin(exchange);
    write(exchange, frame(JSON.stringify({ sources: [{ name: "a" }] })));
    await streamed(exchange, tokenChunks(exchange), { begun: true });
  },
  "midstream-error": async (exchange) => {
    await some(exchange, 3);
    write(exchange, frame(JSON.stringify({ error: { message: "EngineCore encountered an issue.", code: 500 } })));
    write(exchange, frame("[DONE]"));
    exchange.response.end();
  },
  "error-at-once": async (exchange) => {
    begin(exchange);
    write(exchange, frame(JSON.stringify({ error: { message: "Token id 99999 is out of vocabulary" } })));
    write(exchange, frame("[DONE]"));
    exchange.response.end();
  },
  abort: (exchange) => streamed(exchange, tokenChunks(exchange).slice(0, 3), { finish: "abort" }),
  stall: (exchange) => some(exchange, 3),
  "ping-only": async (exchange) => {
    begin(exchange);
    const pings = setInterval(() => exchange.response.write(": ping\n\n"), 10);
    exchange.response.on("close", () => clearInterval(pings));
  },
  drip: async (exchange) => {
    begin(exchange);
    const drips = setInterval(() => write(exchange, frame(chunk(exchange, { content: " w1" }))), 10);
    exchange.response.on("close", () => clearInterval(drips));
  },
  rst: async (exchange) => {
    await some(exchange, 3);
    (exchange.request.socket as Socket).resetAndDestroy();
  },
  "rst-at-once": async (exchange) => {
    (exchange.request.socket as Socket).resetAndDestroy();
  },
  "cut-body": async (exchange) => {
    await some(exchange, 3);
    await pause(5);
    (exchange.request.socket as Socket).end();
  },
  "cut-event": async (exchange) => {
    await some(exchange, 3);
    exchange.response.end('data: {"id":"cut');
  },
  "not-json": async (exchange) => {
    await some(exchange, 2);
    write(exchange, frame("oops"));
  },
  "503": async ({ response }) => json(response, 503, { error: { message: "no slot free" } }, { "retry-after": "1" }),
  "429": async ({ response }) => json(response, 429, { error: { message: "slow down" } }),
  "404": async ({ response }) => json(response, 404, { detail: "Not Found" }),
  "401": async ({ response }) => json(response, 401, { error: "Unauthorized" }),
  "400": async ({ response }) => json(response, 400, { error: { message: "Token id 99999 is out of vocabulary" } }),
  redirect: async ({ response }) => json(response, 307, {}, { location: "/elsewhere" }),
  "slow-headers": async (exchange) => {
    await pause(60);
    await streamed(exchange, tokenChunks(exchange));
  },
  empty: async ({ response }) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end();
  },
  "only-done": async (exchange) => {
    begin(exchange);
    write(exchange, frame("[DONE]"));
    exchange.response.end();
  },
  html: async ({ response }) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end("<!doctype html><title>Welcome</title>");
  },
  "whole-json": async ({ response }) =>
    json(response, 200, { choices: [{ index: 0, text: " w1", finish_reason: "length" }] }),
};

interface TokenChunk {
  readonly delta: Record<string, unknown>;
  readonly tokens: number;
}

interface StreamShape {
  readonly begun?: boolean;
  readonly frame?: (text: string) => string;
  readonly eventsPerWrite?: number;
  readonly pieceBytes?: number;
  readonly finish?: string | null;
  readonly usage?: "last" | "each" | "none";
  readonly done?: boolean;
}

async function streamed(exchange: Exchange, chunks: readonly TokenChunk[], shape: StreamShape = {}): Promise<void> {
  const frameOf = shape.frame ?? frame;
  const finish = shape.finish === undefined ? "length" : shape.finish;
  if (shape.begun !== true) begin(exchange);
  await pause(exchange.options.ttftMs);
  let tokens = 0;
  let waiting = "";
  for (const [at, { delta, tokens: more }] of chunks.entries()) {
    tokens += more;
    const isLast = at === chunks.length - 1;
    const usage = shape.usage === "each" ? usageOf(exchange, tokens) : undefined;
    waiting += frameOf(chunk(exchange, delta, isLast ? finish : null, usage));
    if (!isLast && (at + 1) % (shape.eventsPerWrite ?? 1) !== 0) continue;
    await writePieces(exchange, waiting, shape.pieceBytes);
    waiting = "";
    if (!isLast) await pause(exchange.options.itlMs);
  }
  if (shape.usage !== "none" && asksUsage(exchange)) {
    const usage = { ...base(exchange), choices: [], usage: usageOf(exchange, tokens) };
    await writePieces(exchange, frameOf(JSON.stringify(usage)), shape.pieceBytes);
  }
  if (shape.done !== false) await writePieces(exchange, frameOf("[DONE]"), shape.pieceBytes);
  exchange.response.end();
}

/** The first tokens of an answer that then goes wrong. */
async function some(exchange: Exchange, count: number): Promise<void> {
  begin(exchange);
  await pause(exchange.options.ttftMs);
  for (const { delta } of tokenChunks(exchange).slice(0, count)) {
    write(exchange, frame(chunk(exchange, delta)));
    await pause(exchange.options.itlMs);
  }
}

function tokenChunks(exchange: Exchange, perChunk = 1, reasoning = 0): TokenChunk[] {
  const all = words(exchange);
  const chunks: TokenChunk[] = [];
  for (let at = 0; at < all.length; at += perChunk) {
    const part = all.slice(at, at + perChunk);
    const field = at < reasoning ? "reasoning_content" : "content";
    chunks.push({ delta: { [field]: part.join("") }, tokens: part.length });
  }
  return chunks;
}

function utf8Chunks(exchange: Exchange): TokenChunk[] {
  return words(exchange).map((_, at) => ({ delta: { content: ["ä", "你", "🦊", "e\u0301"][at % 4] }, tokens: 1 }));
}

function words({ options }: Exchange): string[] {
  return Array.from({ length: options.tokens }, (_, at) => ` w${at}`);
}

function chunk(
  exchange: Exchange,
  delta: Record<string, unknown>,
  finish: string | null = null,
  usage?: object,
): string {
  const choice = isChat(exchange) ? { delta } : { text: delta["content"] ?? "" };
  const choices = [{ index: 0, ...choice, finish_reason: finish }];
  return JSON.stringify({ ...base(exchange), choices, ...(usage === undefined ? {} : { usage }) });
}

function base({ request }: Exchange) {
  return { id: `cmpl-${String(request.headers["x-request-id"] ?? "none")}`, object: "chunk" };
}

function usageOf({ body }: Exchange, tokens: number) {
  const prompt = Array.isArray(body["prompt"]) ? body["prompt"].length : 11;
  return { prompt_tokens: prompt, completion_tokens: tokens, total_tokens: prompt + tokens };
}

function asksUsage({ body }: Exchange): boolean {
  return (body["stream_options"] as { include_usage?: boolean } | undefined)?.include_usage === true;
}

function isChat({ request }: Exchange): boolean {
  return request.url?.endsWith("/chat/completions") ?? false;
}

function begin({ response }: Exchange): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.flushHeaders();
}

function frame(text: string): string {
  return `data: ${text}\n\n`;
}

function write({ response }: Exchange, text: string): void {
  response.write(text);
}

async function writePieces({ response }: Exchange, text: string, pieceBytes?: number): Promise<void> {
  const bytes = Buffer.from(text);
  if (pieceBytes === undefined) {
    response.write(bytes);
    return;
  }
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    response.write(bytes.subarray(at, at + pieceBytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function tokenize(body: { prompt?: string; messages?: { content: string }[] }) {
  const text = body.prompt ?? `${"<s> ".repeat(3)}${(body.messages ?? []).map(({ content }) => content).join(" ")}`;
  const pieces = text.trim() === "" ? [] : text.trim().split(/\s+/);
  return { count: pieces.length, max_model_len: 4096, tokens: pieces.map(tokenOf) };
}

/** Ids of a vocabulary from 300 to 1199. */
function tokenOf(word: string): number {
  return 300 + ([...word].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 900);
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

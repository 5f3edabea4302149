import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type GenerationContext, generate } from "./vllm-generation.ts";
import {
  type GenerationKind,
  parseGeneration,
  parseJsonObject,
  type RequestContext,
  RequestRefused,
  tokenizeBody,
} from "./vllm-request.ts";
import { modelList } from "./vllm-wire.ts";

export interface VllmServerOptions extends GenerationContext, RequestContext {
  /** Port on 127.0.0.1; 0 for any free one. */
  readonly port: number;
  readonly modelRoot: string;
  readonly apiKey: string | null;
  readonly requestIdHeaders: boolean;
  /** Uvicorn's access log. */
  readonly log: (line: string) => void;
}

export interface VllmServer {
  readonly port: number;
  /** Stops listening and ends what is left of the connections. */
  close(): Promise<void>;
}

export const SIMULATED_VERSION = "0.8.3+simulated";
const SERVER_HEADER = "arc-vllm-sim (simulated)";

/** The HTTP side of the look-alike. Rejects when the port is taken. */
export async function startVllmServer(options: VllmServerOptions): Promise<VllmServer> {
  const created = Math.floor(Date.now() / 1000);
  const server = createServer((request, response) => {
    response.setHeader("server", SERVER_HEADER);
    readBody(request).then(
      (body) => route({ request, response, body, options, created }),
      () => response.destroy(),
    );
  });
  // Uvicorn closes an idle connection after 5 s (timeout_keep_alive).
  server.keepAliveTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // Streams that were just aborted still have their last bytes to send.
      await new Promise((resolve) => setImmediate(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Answers at once with JSON, or writes to the response itself and gives null. */
type Handler = (exchange: Exchange) => JsonReply | null;

interface JsonReply {
  readonly status: number;
  readonly body: unknown;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: string;
  readonly options: VllmServerOptions;
  readonly created: number;
}

const ROUTES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  "/health": { GET: empty },
  "/ping": { GET: empty, POST: empty },
  "/version": { GET: () => ok({ version: SIMULATED_VERSION }) },
  "/load": { GET: () => ok({ server_load: 0 }) },
  "/metrics": { GET: metrics },
  "/tokenize": { POST: tokenize },
  "/detokenize": { POST: detokenize },
  "/v1/models": { GET: models },
  "/v1/completions": { POST: (exchange) => answer("completion", exchange) },
  "/v1/chat/completions": { POST: (exchange) => answer("chat", exchange) },
};

function route(exchange: Exchange): void {
  const { request, response, options } = exchange;
  const path = (request.url ?? "/").split("?")[0] as string;
  response.once("finish", () => {
    const { remoteAddress, remotePort } = request.socket;
    const outcome = `${response.statusCode} ${response.statusMessage}`;
    options.log(`INFO:     ${remoteAddress}:${remotePort} - "${request.method} ${path} HTTP/1.1" ${outcome}`);
  });
  const reply = dispatch(path, exchange);
  if (reply !== null) json(response, reply);
}

function dispatch(path: string, exchange: Exchange): JsonReply | null {
  const { request, options } = exchange;
  const allowed = options.apiKey === null || request.headers.authorization === `Bearer ${options.apiKey}`;
  if (path.startsWith("/v1") && !allowed) return { status: 401, body: { error: "Unauthorized" } };
  const methods = ROUTES[path];
  if (!methods) return { status: 404, body: { detail: "Not Found" } };
  const handler = methods[request.method ?? ""];
  if (!handler) return { status: 405, body: { detail: "Method Not Allowed" } };
  try {
    checkContentType(request);
    return handler(exchange);
  } catch (error) {
    if (error instanceof RequestRefused) return { status: error.status, body: error.body };
    throw error;
  }
}

function checkContentType({ method, headers }: IncomingMessage): void {
  if (method !== "POST" || /^application\/json/.test(headers["content-type"] ?? "")) return;
  const message = "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed";
  throw new RequestRefused(400, message, "Bad Request");
}

function answer(kind: GenerationKind, { request, response, body, options }: Exchange): null {
  const parsed = parseGeneration(kind, body, options);
  const rid = request.headers["x-request-id"];
  const id = typeof rid === "string" ? rid : crypto.randomUUID().replaceAll("-", "");
  if (options.requestIdHeaders) response.setHeader("x-request-id", id);
  const prefix = kind === "chat" ? "chatcmpl" : "cmpl";
  const created = Math.floor(Date.now() / 1000);
  if (parsed.stream) {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.flushHeaders();
  }
  const head = { kind, id: `${prefix}-${id}`, created, model: options.servedModelName };
  const cancel = generate(parsed, head, options, {
    event: (text) => response.write(text),
    whole: (whole) => json(response, ok(whole)),
    end: () => response.end(),
  });
  response.once("close", () => {
    if (!response.writableFinished) cancel();
  });
  return null;
}

function empty({ response }: Exchange): null {
  response.writeHead(200, { "content-length": "0" }).end();
  return null;
}

function metrics({ response, options }: Exchange): null {
  const text = options.metrics.render(options.engine.stats());
  response.writeHead(200, { "content-type": "text/plain; version=1.0.0; charset=utf-8" }).end(text);
  return null;
}

function models({ options, created }: Exchange): JsonReply {
  return ok(modelList(options.servedModelName, options.modelRoot, created, options.maxModelLen));
}

function tokenize({ body, options }: Exchange): JsonReply {
  const parsed = parseJsonObject(body);
  const tokens = tokenizeBody(parsed, options.tokens);
  const pieces = parsed["return_token_strs"] === true ? tokens.map((token) => options.tokens.decode([token])) : null;
  return ok({ count: tokens.length, max_model_len: options.maxModelLen, tokens, token_strs: pieces });
}

function detokenize({ body, options }: Exchange): JsonReply {
  const tokens = parseJsonObject(body)["tokens"];
  return ok({ prompt: options.tokens.decode(Array.isArray(tokens) ? tokens.map(Number) : []) });
}

function ok(body: unknown): JsonReply {
  return { status: 200, body };
}

function json(response: ServerResponse, { status, body }: JsonReply): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { TruthPace, TruthRequest, TruthServer } from "../ports/truth-server.ts";
import { askedBy } from "./answer-chunks.ts";
import { type Exchange, nowMs } from "./exchange.ts";
import { answerJson, FAULT_PROFILES } from "./fault-profiles.ts";
import { tokenize } from "./tokenize.ts";

export interface TruthServerOptions extends Partial<TruthPace> {
  /** Length of an answer whose request names none. */
  readonly tokens?: number;
  /** Called with every request for a stream. */
  readonly onRequest?: (body: Readonly<Record<string, unknown>>, headers: IncomingMessage["headers"]) => void;
}

export interface LocalTruthServer extends TruthServer {
  /** Connections that were opened so far, and those open now. */
  readonly connections: () => number;
  readonly openConnections: () => number;
  /** Answers that were cut by the client. */
  readonly aborted: () => number;
}

/**
 * Starts an OpenAI look-alike on loopback that answers as the model's name asks (fault-profiles.ts) and logs when it
 * wrote what. One word ` w<n>` is one token.
 */
export async function startTruthServer(options: TruthServerOptions = {}): Promise<LocalTruthServer> {
  const { tokens = 8, onRequest, ...usual } = options;
  let pace: TruthPace = { ttftMs: 20, itlMs: 3, ...usual };
  let requests: TruthRequest[] = [];
  let busySince = performance.eventLoopUtilization();
  let aborted = 0;

  function exchangeOf(request: IncomingMessage, response: ServerResponse, receivedMs: number, body: Body): Exchange {
    const rid = String(request.headers["x-request-id"] ?? "none");
    const log = { rid, receivedMs, firstMs: null, lastMs: null, tokens: 0, events: 0 };
    const delayMs = delayOf(pace, requests.length);
    requests.push(log);
    onRequest?.(body, request.headers);
    return {
      asked: askedBy(body, request.url ?? "", rid, tokens),
      pace,
      delayMs,
      socket: request.socket,
      response,
      log,
    };
  }

  const server = createServer((request, response) => {
    const receivedMs = nowMs();
    response.on("close", () => {
      if (!response.writableFinished) aborted += 1;
    });
    void readBody(request).then((text) => {
      const aside = answerAside(request, text);
      if (aside !== null) return answerJson(response, aside.status, aside.body);
      const body = JSON.parse(text) as Body;
      const profile = String(body["model"]).split("@")[1] ?? "plain";
      const exchange = exchangeOf(request, response, receivedMs, body);
      const answer = FAULT_PROFILES[profile];
      if (answer !== undefined) return answer(exchange);
      return answerJson(response, 404, { error: { message: `The model \`${profile}\` does not exist.` } });
    });
  });
  server.keepAliveTimeout = 5000;
  const { sockets, connections } = trackConnections(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async begin(next) {
      pace = next;
      requests = [];
      busySince = performance.eventLoopUtilization();
    },
    read: async () => ({ requests, loopUtilization: performance.eventLoopUtilization(busySince).utilization }),
    connections,
    openConnections: () => sockets.size,
    aborted: () => aborted,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Body = Readonly<Record<string, unknown>>;

/** Requests that ask for no stream; null for those that do. */
function answerAside(request: IncomingMessage, text: string): { status: number; body: object } | null {
  if (request.url === "/v1/models") return { status: 200, body: { data: [{ id: "m", max_model_len: 4096 }] } };
  if (request.url === "/tokenize") return { status: 200, body: tokenize(JSON.parse(text)) };
  if (request.method === "GET") return { status: 404, body: { detail: "Not Found" } };
  if ((JSON.parse(text) as Body)["stream"] === true) return null;
  return { status: 200, body: { choices: [{ index: 0, text: " Mercury, Venus, Earth" }] } };
}

function delayOf({ stagger }: TruthPace, index: number): number {
  return stagger === undefined || index >= stagger.requests ? 0 : (stagger.overMs * index) / stagger.requests;
}

function trackConnections(server: ReturnType<typeof createServer>) {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  return { sockets, connections: () => connections };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

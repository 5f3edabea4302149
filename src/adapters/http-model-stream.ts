import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { AppError } from "../core/app-error.ts";
import type { HttpRequest, ModelStream, StreamHandle, StreamSink } from "../ports/model-stream.ts";
import { askWhole } from "./ask-whole.ts";
import { systemClock } from "./system-clock.ts";
import { transportFailureOf } from "./transport-failure.ts";

export interface HttpModelStreamOptions {
  /** PEM file with the certificates to trust instead of the public ones. */
  readonly caFile?: string;
}

type Send = (request: HttpRequest) => http.ClientRequest;

/** uvicorn closes a connection that was idle for 5 s: one that is nearly as old is not used again. */
const IDLE_MS = 4000;

/**
 * HTTP and HTTPS through node's own client: one kept-alive connection per request in flight, as many as are needed.
 * A request whose reused connection the server had closed while it was idle (it ends before a single byte of an
 * answer) goes out once more, on another connection, and says so; nothing else is ever sent again.
 */
export function httpModelStream(options: HttpModelStreamOptions = {}): ModelStream {
  const ca = options.caFile === undefined ? {} : { ca: readCaFile(options.caFile) };
  const plain = dropWhenIdle(new http.Agent({ keepAlive: true, maxFreeSockets: Number.POSITIVE_INFINITY }));
  const tls = dropWhenIdle(new https.Agent({ keepAlive: true, maxFreeSockets: Number.POSITIVE_INFINITY, ...ca }));
  const send: Send = (request) => {
    const url = new URL(request.url);
    const start = { method: request.method, headers: headersOf(request) };
    const { protocol } = url;
    return protocol === "https:"
      ? https.request(url, { ...start, agent: tls })
      : http.request(url, { ...start, agent: plain });
  };
  const stream: ModelStream["stream"] = (request, sink) => startStream(send, request, sink);

  return {
    stream,
    ask: (request, limits) => askWhole(stream, request, limits),
    async [Symbol.asyncDispose]() {
      plain.destroy();
      tls.destroy();
    },
  };
}

function startStream(send: Send, request: HttpRequest, sink: StreamSink): StreamHandle {
  let writtenAtMs: number | null = null;
  let resent = false;
  let cancelled = false;
  let over = false;
  let current = attempt();

  function attempt(): http.ClientRequest {
    const outgoing = send(request);
    let answered = false;
    outgoing.on("response", (response) => {
      answered = true;
      sink.onHeaders(response.statusCode ?? 0, plainHeaders(response.headers), systemClock.nowMs());
      response.on("data", (bytes: Buffer) => {
        const atMs = systemClock.nowMs();
        if (!over) sink.onData(bytes, atMs);
      });
      response.on("end", () => {
        if (!over) sink.onEnd(systemClock.nowMs());
        over = true;
      });
      // What broke is told by "error"; a close without an end and without an error cannot be left out either.
      response.on("error", fail);
      response.on("close", () => fail(new Error("the connection closed inside the answer")));
    });
    outgoing.on("finish", () => {
      writtenAtMs = systemClock.nowMs();
    });
    outgoing.on("error", (error) => {
      if (!answered && !cancelled && !resent && outgoing.reusedSocket && isClosed(error)) {
        resent = true;
        current = attempt();
      } else fail(error);
    });
    outgoing.end(request.body);
    return outgoing;
  }

  function fail(error: Error): void {
    if (over) return;
    over = true;
    const atMs = systemClock.nowMs();
    if (cancelled) sink.onFailure("cancelled", "cancelled by this side", atMs);
    else sink.onFailure(transportFailureOf(error), error.message, atMs);
  }

  return {
    get writtenAtMs() {
      return writtenAtMs;
    },
    get resent() {
      return resent;
    },
    cancel() {
      cancelled = true;
      current.destroy(new Error("cancelled"));
    },
  };
}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

function headersOf({ headers, apiKey, body }: HttpRequest): Record<string, string> {
  return {
    ...headers,
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey.reveal()}` }),
    // Without it node would send the body in chunks.
    ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  };
}

function plainHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}

/** An agent destroys a free socket whose timer fires; a socket in use has no timer. */
function dropWhenIdle<T extends http.Agent>(agent: T): T {
  const { reuseSocket } = agent;
  return Object.assign(agent, {
    keepSocketAlive(socket: Socket) {
      socket.unref();
      socket.setTimeout(IDLE_MS);
      return true;
    },
    reuseSocket(socket: Socket, request: http.ClientRequest) {
      socket.setTimeout(0);
      reuseSocket.call(agent, socket, request);
    },
  });
}

function readCaFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("INPUT_INVALID", {
      message: `Cannot read the CA file "${path}": a PEM file with certificates is wanted`,
      hint: "Correct the path, or leave it out to trust the public certificates",
      cause,
    });
  }
}

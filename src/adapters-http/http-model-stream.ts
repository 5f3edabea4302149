import { readFileSync } from "node:fs";
import { systemClock } from "../adapters/system-clock.ts";
import { AppError } from "../core/app-error.ts";
import type { HttpRequest, ModelStream, StreamHandle, StreamSink } from "../ports/model-stream.ts";
import { askWhole } from "./ask-whole.ts";
import type { HttpConnection } from "./http-connection.ts";
import { type HttpConnectionPool, httpConnectionPool } from "./http-connection-pool.ts";
import { httpExchange } from "./http-exchange.ts";
import { transportFailureOf } from "./transport-failure.ts";

export interface HttpModelStreamOptions {
  /** PEM file with the certificates to trust instead of the public ones. */
  readonly caFile?: string;
}

/**
 * HTTP/1.1 over sockets of our own, plain or TLS: one kept-alive connection per request in flight, as many as are
 * needed. Why not node:http: docs/decisions/http-client.md. A request whose reused connection the server had
 * closed while it was idle (it ends before a single byte of an answer) goes out once more, on another connection, and
 * says so; nothing else is ever sent again.
 */
export function httpModelStream(options: HttpModelStreamOptions = {}): ModelStream {
  const pool = httpConnectionPool(options.caFile === undefined ? undefined : readCaFile(options.caFile));
  const stream: ModelStream["stream"] = (request, sink) => startStream(pool, request, sink);
  return {
    stream,
    ask: (request, limits) => askWhole(stream, request, limits),
    open: (url, count) => pool.open(new URL(url), count),
    async [Symbol.asyncDispose]() {
      pool.closeIdle();
    },
  };
}

function startStream(pool: HttpConnectionPool, request: HttpRequest, sink: StreamSink): StreamHandle {
  const url = new URL(request.url);
  const text = requestText(url, request);
  let writtenAtMs: number | null = null;
  let resent = false;
  let over = false;
  /** The sink may cancel inside a call, when more of the same read is still to come. */
  const whileRunning: Pick<StreamSink, "onHeaders" | "onData"> = {
    onHeaders: (status, headers, atMs) => sink.onHeaders(status, headers, atMs),
    onData(bytes, start, end, atMs) {
      if (!over) sink.onData(bytes, start, end, atMs);
    },
  };
  let connection = attempt(false);

  function attempt(fresh: boolean): HttpConnection {
    const { connection: own, isReused } = pool.take(url, fresh);
    const exchange = httpExchange(whileRunning, {
      onComplete(reusable, atMs) {
        if (over) return;
        over = true;
        if (reusable) pool.give(url, own);
        else own.destroy();
        sink.onEnd(atMs);
      },
      onUnanswered(error) {
        if (!isReused) {
          fail(error);
          return;
        }
        resent = true;
        connection = attempt(true);
      },
      onBroken(error) {
        own.destroy();
        fail(error);
      },
    });
    own.use({
      ...exchange,
      onWritten(atMs) {
        writtenAtMs = atMs;
      },
    });
    own.write(text);
    return own;
  }

  function fail(error: Error): void {
    if (over) return;
    over = true;
    sink.onFailure(transportFailureOf(error), error.message, systemClock.nowMs());
  }

  return {
    get writtenAtMs() {
      return writtenAtMs;
    },
    get resent() {
      return resent;
    },
    cancel() {
      if (over) return;
      over = true;
      connection.destroy();
      sink.onFailure("cancelled", "cancelled by this side", systemClock.nowMs());
    },
  };
}

function requestText(url: URL, { method, headers, apiKey, body }: HttpRequest): string {
  const lines = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    `host: ${url.host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(apiKey === undefined ? [] : [`authorization: Bearer ${apiKey.reveal()}`]),
    ...(body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
  ];
  if (lines.some((line) => /[\r\n\0]/.test(line))) {
    throw new AppError("INPUT_INVALID", {
      message: `Cannot ${method} "${url.origin}${url.pathname}": a header or the API key holds a line break`,
      hint: "Remove the line break, often one at the end of a secret",
    });
  }
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
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

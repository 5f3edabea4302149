import { readFileSync } from "node:fs";
import { systemClock } from "../adapters/system-clock.ts";
import { AppError } from "../core/app-error.ts";
import type { HttpRequest, ModelStream, ModelStreamOptions, StreamHandle, StreamSink } from "../ports/model-stream.ts";
import { askWhole } from "./ask-whole.ts";
import type { HttpExchange, HttpWay } from "./http-connection.ts";
import { type HttpConnectionPool, httpConnectionPool } from "./http-connection-pool.ts";
import { requestText, targetOf } from "./request-text.ts";
import { transportFailureOf } from "./transport-failure.ts";

/**
 * HTTP/1.1 over sockets of our own, plain or TLS: one kept-alive connection per request in flight, as many as are
 * needed. Why not node:http: docs/decisions/http-client.md. A request whose reused connection the server had
 * closed while it was idle (it ends before a single byte of an answer) goes out once more, on another connection, and
 * says so; nothing else is ever sent again.
 */
export function httpModelStream(options: ModelStreamOptions = {}): ModelStream {
  const endpoints = httpEndpoints({
    ...(options.caFile !== undefined && { ca: readCaFile(options.caFile) }),
    ...(options.connect !== undefined && { connect: options.connect }),
  });
  const stream: ModelStream["stream"] = (request, sink) => startStream(endpoints.at(request.url), request, sink);
  return {
    stream,
    ask: (request, limits) => askWhole(stream, request, limits),
    open: (url, count) => endpoints.at(url).pool.open(count),
    async [Symbol.asyncDispose]() {
      endpoints.closeIdle();
    },
  };
}

interface HttpEndpoint {
  readonly url: URL;
  readonly target: string;
  readonly pool: HttpConnectionPool;
}

/** The few URLs that a run asks, each read once; those of one origin share their connections. */
function httpEndpoints(way: HttpWay) {
  const known = new Map<string, HttpEndpoint>();
  const pools = new Map<string, HttpConnectionPool>();

  function endpointOf(text: string): HttpEndpoint {
    const url = new URL(text);
    const pool = pools.get(url.origin) ?? httpConnectionPool(url, way);
    pools.set(url.origin, pool);
    return { url, target: targetOf(url), pool };
  }

  return {
    at(url: string): HttpEndpoint {
      const endpoint = known.get(url) ?? endpointOf(url);
      known.set(url, endpoint);
      return endpoint;
    },
    closeIdle(): void {
      for (const pool of pools.values()) pool.closeIdle();
    },
  };
}

function startStream({ url, target, pool }: HttpEndpoint, request: HttpRequest, sink: StreamSink): StreamHandle {
  const text = requestText(url, target, request);
  let { connection, isReused } = pool.take(false);
  let resent = false;
  let over = false;

  const exchange: HttpExchange = {
    onHead: sink.onHeaders,
    onBody: sink.onData,
    onComplete(reusable, atMs) {
      over = true;
      if (reusable) pool.give(connection);
      else connection.destroy();
      sink.onEnd(atMs);
    },
    onUnanswered(error) {
      if (!isReused) {
        exchange.onBroken(error);
        return;
      }
      resent = true;
      ({ connection, isReused } = pool.take(true));
      connection.send(text, exchange);
    },
    onBroken(error) {
      over = true;
      connection.destroy();
      sink.onFailure(transportFailureOf(error), error.message, systemClock.nowMs());
    },
  };
  connection.send(text, exchange);

  return {
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

import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { systemClock } from "../adapters/system-clock.ts";
import type { OpenConnection } from "../ports/model-stream.ts";
import { deferredDuplex } from "./deferred-duplex.ts";
import { httpResponseReader } from "./http-response-reader.ts";

/** One request and its answer on a connection. Exactly one of the last three is called, once, unless it is abandoned. */
export interface HttpExchange {
  /** Times are when the bytes were read. */
  onHead(status: number, headers: Readonly<Record<string, string>>, atMs: number): void;
  /** A part of the body, only valid during the call. */
  onBody(bytes: Buffer, start: number, end: number, atMs: number): void;
  /** The answer is complete; the connection may be used again or not. */
  onComplete(reusable: boolean, atMs: number): void;
  /** The connection closed before a single byte of an answer. */
  onUnanswered(error: Error): void;
  onBroken(error: Error): void;
}

/** A kept-alive connection that carries one exchange after the other. */
export interface HttpConnection {
  send(request: string, exchange: HttpExchange): void;
  /** Between two exchanges. Bytes or a close meanwhile end the connection. */
  rest(onClosed: () => void): void;
  /** Closes it; its exchange hears nothing any more. */
  destroy(): void;
  /** Resolves once it is open (true), or when that failed (false). */
  whenOpen(): Promise<boolean>;
}

/** How connections are opened. */
export interface HttpWay {
  /** Certificates to trust instead of the public ones. */
  readonly ca?: string;
  readonly connect?: OpenConnection;
}

/** A reader gets this buffer again and again: reading allocates nothing, whatever the number of connections. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** Starts to connect to the host of a URL. What goes wrong is told to the exchange that waits for it. */
export function openHttpConnection(url: URL, way: HttpWay): HttpConnection {
  let exchange: HttpExchange | null = null;
  let onIdleClosed: (() => void) | null = null;
  let broken: Error | null = null;
  let isAnswered = false;
  /** How the answer ended, once it did. */
  let reusable: boolean | null = null;
  // A typed array: a variable would be a new object on the heap for every read.
  const readAt = new Float64Array(1);
  // One reader for all answers of this connection: a request makes no garbage of its own here.
  const reader = httpResponseReader({
    onHead: (status, headers) => exchange?.onHead(status, headers, readAt[0] as number),
    onBody: (bytes, start, end) => exchange?.onBody(bytes, start, end, readAt[0] as number),
    onEnd(isReusable) {
      reusable = isReusable;
    },
  });

  const socket = openSocket(url, way, (bytes, end) => {
    // Before anything looks at the bytes.
    readAt[0] = systemClock.nowMs();
    if (exchange === null) socket.destroy();
    else readAnswer(exchange, bytes, end);
  });
  socket.on("error", (error) => {
    broken = error;
  });
  socket.on("close", () => {
    if (exchange !== null) closeAnswer(exchange);
    onIdleClosed?.();
  });

  function readAnswer(current: HttpExchange, bytes: Buffer, end: number): void {
    isAnswered = true;
    try {
      reader.push(bytes, end);
    } catch (error) {
      exchange = null;
      current.onBroken(error as Error);
      return;
    }
    // Only after all bytes were read: what follows a complete answer would make it a broken one.
    if (reusable !== null && exchange === current) complete(current, reusable);
  }

  function closeAnswer(current: HttpExchange): void {
    readAt[0] = systemClock.nowMs();
    reader.close();
    if (reusable !== null) {
      complete(current, reusable);
      return;
    }
    exchange = null;
    const reason = broken ?? new Error("the server closed the connection before the answer was complete");
    if (isAnswered) current.onBroken(reason);
    else current.onUnanswered(reason);
  }

  function complete(current: HttpExchange, isReusable: boolean): void {
    exchange = null;
    current.onComplete(isReusable, readAt[0] as number);
  }

  return {
    send(request, next) {
      socket.ref?.();
      reader.reset();
      onIdleClosed = null;
      isAnswered = false;
      reusable = null;
      exchange = next;
      socket.write(request);
    },
    rest(onClosed) {
      socket.unref?.();
      onIdleClosed = onClosed;
    },
    destroy() {
      exchange = null;
      socket.destroy();
    },
    whenOpen: () =>
      new Promise((resolve) => {
        socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => resolve(true));
        socket.once("close", () => resolve(false));
      }),
  };
}

/** What a socket has, and other streams do not, may be absent. */
type Wire = Duplex & Partial<Pick<Socket, "ref" | "unref">>;

function openSocket(url: URL, way: HttpWay, onRead: (bytes: Buffer, end: number) => void): Wire {
  // The brackets of an IPv6 address belong to the URL.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const isTls = url.protocol === "https:";
  const inner = way.connect && deferredDuplex(way.connect(host, Number(url.port || (isTls ? 443 : 80))));
  if (!isTls && inner !== undefined) {
    inner.on("data", (bytes: Buffer) => onRead(bytes, bytes.length));
    return inner;
  }
  if (!isTls) {
    const callback = (length: number): boolean => {
      onRead(shared, length);
      return true;
    };
    return connectTcp({ host, port: Number(url.port || 80), noDelay: true, onread: { buffer: shared, callback } });
  }
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const trust = way.ca === undefined ? {} : { ca: way.ca };
  const to = inner === undefined ? { host, port: Number(url.port || 443) } : { host, socket: inner };
  const socket = connectTls({ ...to, ...name, ...trust });
  socket.setNoDelay(true);
  // TLS has no way to read into a buffer of ours.
  socket.on("data", (bytes: Buffer) => onRead(bytes, bytes.length));
  return socket;
}

import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { systemClock } from "../adapters/system-clock.ts";

/** Who uses a connection at the moment. */
export interface ConnectionUser {
  /** The bytes before `end` are part of the answer, valid during the call, and were read at `atMs`. */
  onBytes(bytes: Buffer, end: number, atMs: number): void;
  onWritten(atMs: number): void;
  /** The other side closed (null), or the connection broke. Nothing comes afterwards. */
  onClosed(error: Error | null): void;
}

/** A kept-alive connection that carries one exchange after the other. */
export interface HttpConnection {
  /** Takes the connection, or changes hands. */
  use(user: ConnectionUser): void;
  write(request: string): void;
  /** Gives it back: bytes or a close from now on only end it. */
  rest(onClosed: () => void): void;
  destroy(): void;
  /** Resolves once it is open (true), or when that failed (false). */
  whenOpen(): Promise<boolean>;
}

/** A reader gets this buffer again and again: reading allocates nothing, whatever the number of connections. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** Starts to connect to the host of a URL. What goes wrong is told by `onClosed`. */
export function openHttpConnection(url: URL, ca: string | undefined): HttpConnection {
  let user: ConnectionUser | null = null;
  let onIdleClosed: (() => void) | null = null;
  let broken: Error | null = null;

  function onRead(bytes: Buffer, end: number): void {
    // Before anything looks at the bytes.
    const atMs = systemClock.nowMs();
    if (user === null) socket.destroy();
    else user.onBytes(bytes, end, atMs);
  }

  const socket = openSocket(url, ca, onRead);
  socket.on("error", (error) => {
    broken = error;
  });
  socket.on("close", () => {
    user?.onClosed(broken);
    onIdleClosed?.();
  });

  return {
    use(next) {
      socket.ref();
      user = next;
      onIdleClosed = null;
    },
    write(request) {
      socket.write(request, "utf8", (error) => {
        if (error === undefined || error === null) user?.onWritten(systemClock.nowMs());
      });
    },
    rest(onClosed) {
      socket.unref();
      user = null;
      onIdleClosed = onClosed;
    },
    destroy() {
      user = null;
      socket.destroy();
    },
    whenOpen: () =>
      new Promise((resolve) => {
        socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => resolve(true));
        socket.once("close", () => resolve(false));
      }),
  };
}

function openSocket(url: URL, ca: string | undefined, onRead: (bytes: Buffer, end: number) => void): Socket {
  // The brackets of an IPv6 address belong to the URL.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (url.protocol !== "https:") {
    const callback = (length: number): boolean => {
      onRead(shared, length);
      return true;
    };
    return connectTcp({ host, port: Number(url.port || 80), noDelay: true, onread: { buffer: shared, callback } });
  }
  const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const socket = connectTls({ host, port: Number(url.port || 443), ...name, ...(ca === undefined ? {} : { ca }) });
  socket.setNoDelay(true);
  // TLS has no way to read into a buffer of ours.
  socket.on("data", (bytes: Buffer) => onRead(bytes, bytes.length));
  return socket;
}

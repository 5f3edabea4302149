import { AppError } from "../core/app-error.ts";

export interface Connection {
  isOpen(): boolean;
  /** Hangs up. What still runs over it gets no more answer. */
  close(): Promise<void>;
}

export interface KeptConnection<Kept extends Connection> {
  /** The open connection; a new one when there is none. Callers that come at once share one attempt. */
  get(): Promise<Kept>;
  /** Hangs up and connects anew. */
  renew(): Promise<void>;
  /** Hangs up for good. */
  end(): Promise<void>;
}

/** Keeps one connection to a host, made again by `connect` after it has broken. */
export function keepConnection<Kept extends Connection>(
  host: string,
  connect: () => Promise<Kept>,
): KeptConnection<Kept> {
  let current: Kept | null = null;
  let connecting: Promise<Kept> | null = null;
  let isEnded = false;

  async function get(): Promise<Kept> {
    if (isEnded) throw ended(host);
    if (current?.isOpen()) return current;
    connecting ??= connect().finally(() => {
      connecting = null;
    });
    current = await connecting;
    if (isEnded) await current.close();
    return current;
  }

  return {
    get,
    async renew() {
      await current?.close();
      await get();
    },
    async end() {
      isEnded = true;
      await current?.close();
    },
  };
}

function ended(host: string): AppError {
  return new AppError("HOST_UNREACHABLE", {
    message: `Cannot run on host "${host}": its connection has been closed by us`,
    hint: "Run again",
  });
}

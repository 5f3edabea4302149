import { systemClock } from "../adapters/system-clock.ts";
import { type HttpConnection, openHttpConnection } from "./http-connection.ts";

export interface HttpConnectionPool {
  /** An idle connection, or a new one. `fresh`: a new one in any case. */
  take(url: URL, fresh: boolean): { readonly connection: HttpConnection; readonly isReused: boolean };
  /** Keeps a connection for the next request. */
  give(url: URL, connection: HttpConnection): void;
  /** Opens connections until `count` idle ones are there; one that cannot be opened is left out. */
  open(url: URL, count: number): Promise<void>;
  closeIdle(): void;
}

interface Idle {
  readonly connection: HttpConnection;
  readonly sinceMs: number;
}

/** uvicorn closes a connection that was idle for 5 s: one that is nearly as old is not used again. */
const IDLE_MS = 4000;

/** Idle connections by origin; the last one that became idle is the first to be used again. */
export function httpConnectionPool(ca: string | undefined): HttpConnectionPool {
  const idle = new Map<string, Idle[]>();

  function idleOf(url: URL): Idle[] {
    const list = idle.get(url.origin) ?? [];
    idle.set(url.origin, list);
    return list;
  }

  function give(url: URL, connection: HttpConnection): void {
    const list = idleOf(url);
    const entry = { connection, sinceMs: systemClock.nowMs() };
    list.push(entry);
    connection.rest(() => {
      const at = list.indexOf(entry);
      if (at !== -1) list.splice(at, 1);
    });
  }

  return {
    take(url, fresh) {
      const list = idleOf(url);
      const youngest = fresh ? undefined : list.pop();
      if (youngest !== undefined && systemClock.nowMs() - youngest.sinceMs < IDLE_MS) {
        return { connection: youngest.connection, isReused: true };
      }
      // The others have been idle for longer still.
      for (const { connection } of youngest === undefined ? [] : [youngest, ...list.splice(0)]) connection.destroy();
      return { connection: openHttpConnection(url, ca), isReused: false };
    },
    give,
    async open(url, count) {
      const youngMs = systemClock.nowMs() - IDLE_MS;
      const missing = count - idleOf(url).filter(({ sinceMs }) => sinceMs > youngMs).length;
      const opened = Array.from({ length: Math.max(0, missing) }, async () => {
        const connection = openHttpConnection(url, ca);
        if (await connection.whenOpen()) give(url, connection);
      });
      await Promise.all(opened);
    },
    closeIdle() {
      for (const list of idle.values()) for (const { connection } of list.splice(0)) connection.destroy();
    },
  };
}

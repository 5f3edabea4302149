import { systemClock } from "../adapters/system-clock.ts";
import { type HttpConnection, type HttpWay, openHttpConnection } from "./http-connection.ts";

/** Connections to one origin. */
export interface HttpConnectionPool {
  /** An idle connection, or a new one. `fresh`: a new one in any case. */
  take(fresh: boolean): { readonly connection: HttpConnection; readonly isReused: boolean };
  /** Keeps a connection for the next request. */
  give(connection: HttpConnection): void;
  /** Opens connections until `count` idle ones are there; one that cannot be opened is left out. */
  open(count: number): Promise<void>;
  closeIdle(): void;
}

interface Idle {
  readonly connection: HttpConnection;
  readonly sinceMs: number;
}

/** uvicorn closes a connection that was idle for 5 s: one that is nearly as old is not used again. */
const IDLE_MS = 4000;

/** The last connection that became idle is the first to be used again. */
export function httpConnectionPool(url: URL, way: HttpWay): HttpConnectionPool {
  const idle: Idle[] = [];

  function give(connection: HttpConnection): void {
    const entry = { connection, sinceMs: systemClock.nowMs() };
    idle.push(entry);
    connection.rest(() => {
      const at = idle.indexOf(entry);
      if (at !== -1) idle.splice(at, 1);
    });
  }

  return {
    take(fresh) {
      const youngest = fresh ? undefined : idle.pop();
      if (youngest !== undefined && systemClock.nowMs() - youngest.sinceMs < IDLE_MS) {
        return { connection: youngest.connection, isReused: true };
      }
      // The others have been idle for longer still.
      for (const { connection } of youngest === undefined ? [] : [youngest, ...idle.splice(0)]) connection.destroy();
      return { connection: openHttpConnection(url, way), isReused: false };
    },
    give,
    async open(count) {
      const youngMs = systemClock.nowMs() - IDLE_MS;
      const missing = count - idle.filter(({ sinceMs }) => sinceMs > youngMs).length;
      const opened = Array.from({ length: Math.max(0, missing) }, async () => {
        const connection = openHttpConnection(url, way);
        if (await connection.whenOpen()) give(connection);
      });
      await Promise.all(opened);
    },
    closeIdle() {
      for (const { connection } of idle.splice(0)) connection.destroy();
    },
  };
}

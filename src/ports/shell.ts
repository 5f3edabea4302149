import type { Script, ScriptResult } from "../core/script.ts";
import type { OpenConnection } from "./model-stream.ts";

export interface RunOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /**
   * What happens on the host when we cancel, time out or lose the connection: "kill" (default) ends the script's
   * whole process group there; "finish" lets it end by itself (dpkg must never be cut in half).
   */
  readonly onDisconnect?: "kill" | "finish";
  /** Called with each complete output line as it arrives (without its newline). */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

/** One host that scripts can be run on. A failing script is a result, not an exception. */
export interface Shell {
  readonly host: string;
  /** Runs the script and resolves with how it ended. Rejects only with AppError when no connection can be made. */
  run(script: Script, options: RunOptions): Promise<ScriptResult>;
  /**
   * Drops the connection and makes a new one (after a reboot, or so that new groups count).
   * Rejects with HOST_UNREACHABLE, HOST_KEY_MISMATCH or HOST_AUTH_FAILED when that is not possible.
   */
  reconnect(): Promise<void>;
  /**
   * Opens a TCP connection from the host to an address as the host sees it; absent: there is nothing to go through.
   * Rejects when there is none; the code of the error is then ECONNREFUSED, as that of a socket.
   */
  readonly connectTo?: OpenConnection;
  [Symbol.asyncDispose](): Promise<void>;
}

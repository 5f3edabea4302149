import { AppError } from "../core/app-error.ts";
import type { Shell } from "../ports/shell.ts";
import { type FactLines, parseFactLines } from "./fact-lines.ts";
import { STOP_CONTAINER } from "./ipex-llm-scripts.ts";
import { runIdempotent } from "./run-idempotent.ts";
import { STOP_PROCESS } from "./vllm-scripts.ts";

export interface StopOptions {
  readonly shell: Shell;
  readonly port: number;
  /** How long the server may take to end by itself before it is killed. */
  readonly graceMs?: number;
  /** Keep the server's log on the host and say where. */
  readonly keepLog?: boolean;
}

export interface StopReport {
  /** What was ended, for example "container arc-vllm-8000"; empty when nothing ran. */
  readonly ended: readonly string[];
  readonly logPath: string | null;
}

/**
 * Ends the server that we started on a port of a host, whatever its engine, with everything it started, and removes
 * what was kept for it. Idempotent: finds the server by its name and its state files, so any later process may call it.
 * Throws SERVER_STOP_FAILED when something is left.
 */
export async function stopServer({ shell, port, graceMs = 10_000, keepLog = false }: StopOptions): Promise<StopReport> {
  const env = {
    SERVER_PORT: String(port),
    GRACE_S: String(Math.ceil(graceMs / 1000)),
    KEEP_LOG: keepLog ? "yes" : "no",
    ONLY_OWNER: "",
  };
  const run = async (name: string, text: string, sudo: boolean) => {
    // Let it finish on the host: half a stop is a server without an owner.
    const options = { timeoutMs: graceMs + 60_000, onDisconnect: "finish" } as const;
    return parseFactLines((await runIdempotent(shell, { name, text, env, sudo }, options)).stdout);
  };

  const process = await run(`stop the server process on port ${port}`, STOP_PROCESS, false);
  // Root is asked for only when there is something that only root may end.
  const container = process.first("container") === "yes";
  const parts = container
    ? [process, await run(`stop the server container on port ${port}`, STOP_CONTAINER, true)]
    : [process];

  requireNothingLeft(shell.host, port, parts);
  return {
    ended: parts.flatMap((part) => part.all("ended")),
    logPath: parts.flatMap((part) => part.all("log"))[0] ?? null,
  };
}

function requireNothingLeft(host: string, port: number, parts: readonly FactLines[]): void {
  const left = parts.flatMap((part) => part.all("left"));
  if (left.length === 0) return;
  throw new AppError("SERVER_STOP_FAILED", {
    message: `Cannot stop the server on port ${port} of host "${host}": ${left.join(", ")} did not end`,
    hint: "End it by hand on the host; a process that hangs in the GPU driver may need a reboot",
  });
}

import { AppError, type ErrorCode } from "../core/app-error.ts";
import type { Observation } from "./engine.ts";
import { diagnoseLog } from "./log-diagnosis.ts";

/** Which server failed. */
export interface FailedServer {
  readonly host: string;
  readonly port: number;
  readonly endpoint: { readonly baseUrl: string; readonly servedModelName: string };
}

/** The error for a server that ended while we waited for it: the cause when its log or its end shows one. */
export function exitFailure(server: FailedServer, seen: Observation, elapsedMs: number): AppError {
  const found = killedForMemory(seen) ?? diagnoseLog(seen.error === null ? seen.log : [seen.error, ...seen.log]);
  return new AppError(found?.code ?? "SERVER_EXITED", {
    message: `Cannot start ${nameOf(server)}: ${howItEnded(seen, elapsedMs)}${because(found)}${lastLines(seen.log)}`,
    hint: found?.hint ?? "Read the last log lines above; the first error in them is usually the cause",
  });
}

/** The error for a server that still runs but does not serve. */
export function notReadyFailure(server: FailedServer, why: string, log: readonly string[], waitedMs: number): AppError {
  const found = diagnoseLog(log);
  const started = log.some((line) => line.includes("Application startup complete"));
  return new AppError("SERVER_NOT_READY", {
    message: `Cannot use ${nameOf(server)}: not ready after ${seconds(waitedMs)}: ${why}${because(found)}${lastLines(log)}`,
    hint: started
      ? `The server says that it is up: check that ${server.endpoint.baseUrl} is reachable from here ("serve.bind", a firewall)`
      : (found?.hint ?? 'Raise "serve.ready-timeout" if it was still loading, or read its log above'),
  });
}

interface Cause {
  readonly code: ErrorCode;
  readonly evidence: string;
  readonly hint: string;
}

/** 137 is 128 + SIGKILL, what the kernel's out-of-memory killer sends. */
function killedForMemory(seen: Observation): Cause | null {
  if (!seen.oomKilled && seen.exitCode !== 137) return null;
  return {
    code: "SERVER_OUT_OF_MEMORY",
    evidence: seen.oomKilled ? "the kernel ended it for using too much memory (OOMKilled)" : "it was killed (SIGKILL)",
    hint: 'Raise "serve.memory-limit-gib" or free memory on the host: weights pass through host memory first',
  };
}

function howItEnded(seen: Observation, elapsedMs: number): string {
  if (seen.exitCode === null) return `it ended after ${seconds(elapsedMs)}`;
  return `it exited with code ${seen.exitCode} after ${seconds(elapsedMs)}`;
}

function because(found: Cause | null): string {
  return found === null ? "" : `: ${found.evidence}`;
}

function nameOf({ host, port, endpoint }: FailedServer): string {
  return `model server "${endpoint.servedModelName}" on port ${port} of host "${host}"`;
}

function lastLines(log: readonly string[]): string {
  const lines = log.filter((line) => line.trim() !== "").slice(-20);
  return lines.length === 0 ? "" : `\nLast lines of its log:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

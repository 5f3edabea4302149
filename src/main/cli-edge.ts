import { terminalConsole, wantsColor } from "../adapters/terminal-console.ts";
import type { CommandOutcome } from "../commands/command-outcome.ts";
import { AppError, exitCodeOf } from "../core/app-error.ts";
import { formatFailure } from "../core/format-failure.ts";
import { createRedactor, type Redactor } from "../core/redact.ts";
import type { World } from "../pipeline/world.ts";
import { abortOnSignals } from "./cancellation.ts";
import { realWorld } from "./real-world.ts";

export interface EdgeOptions {
  /** Machines read stdout: nothing but one JSON value goes there. */
  readonly json: boolean;
}

/** Runs a command with the real world around it, prints what it says, and gives the exit code. Never throws. */
export async function atTheEdge(
  options: EdgeOptions,
  command: (world: World, redactor: Redactor) => Promise<CommandOutcome>,
): Promise<number> {
  const redactor = createRedactor();
  const console = terminalConsole({ stream: process.stderr, color: wantsColor(process.stderr, process.env), redactor });
  const signal = abortOnSignals();
  try {
    const world = { ...(await realWorld(console, signal)), color: wantsColor(process.stdout, process.env) };
    const outcome = await command(world, redactor);
    console.endGroup();
    print(options.json ? JSON.stringify(outcome.json, null, 1) : outcome.text, redactor);
    return outcome.exitCode;
  } catch (error) {
    console.endGroup();
    console.error(redactor.clean(formatFailure(error)));
    if (options.json) print(JSON.stringify({ error: errorJson(error) }, null, 1), redactor);
    return signal.aborted && !(error instanceof AppError) ? 130 : exitCodeOf(error);
  }
}

function print(text: string, redactor: Redactor): void {
  process.stdout.write(`${redactor.clean(text)}\n`);
}

function errorJson(error: unknown) {
  if (error instanceof AppError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: "INTERNAL", message: String(error), hint: "Report this at the project's issue tracker" };
}

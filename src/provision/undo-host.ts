import { randomUUID } from "node:crypto";
import { AppError } from "../core/app-error.ts";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import { readStepOutput } from "../plan/read-step-output.ts";
import type { Clock } from "../ports/clock.ts";
import type { Console } from "../ports/console.ts";
import type { Shell } from "../ports/shell.ts";
import { renderBatch, splitBatch } from "../probe/batch.ts";
import { linesOf } from "../probe/clean-text.ts";
import { stepFailure } from "./apply-step.ts";
import { awaitUnfinished } from "./await-unfinished.ts";
import { type HostLease, takeLease } from "./host-lease.ts";
import type { ProvisionRecord, StepOutcome } from "./provision-record.ts";
import { NO_EXPECTATION, rebootHost } from "./reboot-host.ts";
import { RUNS_FOLDER, runOptions } from "./step-context.ts";

export interface UndoContext {
  readonly shell: Shell;
  readonly clock: Clock;
  readonly console: Console;
  /** Which run to undo; null: the last one that changed something and is not undone yet. */
  readonly runId: string | null;
  readonly signal?: AbortSignal;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
  readonly onRecord?: (record: ProvisionRecord) => Promise<void>;
  /** How long to wait for another run on the host; 0 unless given. */
  readonly lockWaitMs?: number;
}

interface RecordedStep {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
}

const STEP_TIMEOUT_MS = 1_800_000;
const REBOOT_TIMEOUT_MS = 900_000;

/**
 * Puts back what a run changed, last change first, from the state that the run kept on the host. Throws INPUT_INVALID
 * when the host has no such run, HOST_BUSY when another run has the host, STEP_FAILED when a step cannot be put back (those
 * before it are then left as they are).
 */
export async function undoHost(context: UndoContext): Promise<ProvisionRecord> {
  const { shell, clock, console } = context;
  const startedMs = clock.nowMs();
  const owner = `undo of ${context.runId === null ? "the last run" : `run ${context.runId}`}`;
  await using lease = await takeLease({ ...context, owner, waitMs: context.lockWaitMs ?? 0, sudo: true });
  await awaitUnfinished(context);
  const { runId, playbook, steps } = await readRun(context);
  const outcomes: StepOutcome[] = [];
  let reboots = 0;
  let error: unknown = null;
  for (const step of [...steps].reverse()) {
    const stepStartedMs = clock.nowMs();
    try {
      const undone = await undoStep(context, lease, runId, step);
      outcomes.push({ ...undone, durationMs: clock.nowMs() - stepStartedMs });
      console.info(`${undone.status.padEnd(8)} undo ${step.name}`);
      if (undone.reboot) {
        await lease.across(REBOOT_TIMEOUT_MS, () => rebootHost(context, REBOOT_TIMEOUT_MS, NO_EXPECTATION));
        reboots += 1;
      }
    } catch (thrown) {
      error = thrown;
      const output = thrown instanceof Error ? thrown.message : String(thrown);
      const failed = outcomeOf(step, "failed");
      outcomes.push({ ...failed, output, durationMs: clock.nowMs() - stepStartedMs });
      break;
    }
  }
  const durationMs = clock.nowMs() - startedMs;
  const record: ProvisionRecord = {
    host: shell.host,
    runId,
    playbook,
    steps: outcomes,
    reboots,
    converged: null,
    durationMs,
  };
  await context.onRecord?.(record);
  if (error !== null) throw error;
  return record;
}

async function undoStep(
  context: UndoContext,
  lease: HostLease,
  runId: string,
  step: RecordedStep,
): Promise<StepOutcome & { reboot: boolean }> {
  const { shell, console } = context;
  const mark = `arc-vllm-${randomUUID()}`;
  const batch = renderBatch(
    [{ name: "undo", text: UNDO_STEP, env: { ARC_STEP_DIR: `${folder(context)}/${runId}/${step.id}` } }],
    mark,
  );
  const script: Script = { name: `undo "${step.name}"`, text: batch.text, env: batch.env, sudo: true };
  const result = await shell.run(script, { ...runOptions(context, STEP_TIMEOUT_MS), onDisconnect: "finish" });
  expectOk(shell.host, script, result);
  const output = splitBatch(result.stdout, mark).get("undo");
  const said = readStepOutput(output?.text ?? "");
  if (output?.exitCode !== 0) {
    throw stepFailure(shell.host, `undo ${step.name}`, {
      output: said.plain.slice(-40).join("\n") || null,
      remedy: said.remedy,
    });
  }
  if (said.reconnect) await lease.across(60_000, () => shell.reconnect());
  if (said.reboot) console.info(`Rebooting ${shell.host}`);
  return { ...outcomeOf(step, said.unchanged ? "ok" : "changed"), reboot: said.reboot };
}

/** Finds the run on the host and the steps of it that can be put back, in the order in which they were applied. */
async function readRun(
  context: UndoContext,
): Promise<{ runId: string; playbook: string; steps: readonly RecordedStep[] }> {
  const { shell } = context;
  const env = { RUNS: folder(context), RUN_ID: context.runId ?? "" };
  const script: Script = { name: "read the runs on the host", text: READ_RUN, env, sudo: true };
  const result = expectOk(shell.host, script, await shell.run(script, runOptions(context, 60_000)));
  const lines = linesOf(result.stdout);
  const value = (key: string) => lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? null;
  const runId = value("run");
  if (runId === null) throw noRun(context, lines);
  const undoable = new Set(lines.filter((line) => line.startsWith("undoable=")).map((line) => line.slice(9)));
  const started = lines.filter((line) => line.startsWith("step=")).flatMap((line) => parseStep(line.slice(5)));
  const seen = new Set<string>();
  const steps = started.filter(({ id }) => undoable.has(id) && !seen.has(id) && seen.add(id));
  return { runId, playbook: parsePlaybookName(value("about")), steps };
}

function noRun(context: UndoContext, lines: readonly string[]): AppError {
  const known = lines.filter((line) => line.startsWith("known=")).map((line) => line.slice(6));
  const what = context.runId === null ? "a run that is not undone yet" : `run "${context.runId}"`;
  return new AppError("INPUT_INVALID", {
    message: `Cannot undo ${what} on host "${context.shell.host}": the host has ${known.length === 0 ? "no runs" : `the runs ${known.join(", ")}`}`,
    hint: known.length === 0 ? "There is nothing to undo" : "Name one of these runs",
  });
}

function parseStep(json: string): RecordedStep[] {
  try {
    const { step, name, kind } = JSON.parse(json) as Record<string, unknown>;
    const whole = typeof step === "string" && typeof name === "string" && /^step-[\d-]+$/.test(step);
    return whole ? [{ id: step, name, kind: String(kind) }] : [];
  } catch {
    // A line that a power cut left half written: its step had not begun.
    return [];
  }
}

function parsePlaybookName(json: string | null): string {
  try {
    return String((JSON.parse(json ?? "{}") as Record<string, unknown>)["playbook"] ?? "unknown");
  } catch {
    return "unknown";
  }
}

function outcomeOf({ name, kind }: RecordedStep, status: StepOutcome["status"]): StepOutcome {
  return { name, kind, status, before: null, after: null, output: null, remedy: null, durationMs: 0 };
}

function folder({ root }: UndoContext): string {
  return `${root ?? ""}${RUNS_FOLDER}`;
}

const READ_RUN = `
found=
for d in "$RUNS"/*/; do
  d=\${d%/}; id=\${d##*/}
  [ -e "$d/steps.jsonl" ] || continue
  echo "known=$id"
  if [ -n "$RUN_ID" ]; then [ "$id" = "$RUN_ID" ] && found=$d
  elif [ ! -e "$d/undone" ]; then found=$d; fi
done
[ -n "$found" ] || exit 0
echo "run=\${found##*/}"
[ -e "$found/run.json" ] && IFS= read -r line < "$found/run.json" && echo "about=$line"
while IFS= read -r line; do echo "step=$line"; done < "$found/steps.jsonl"
for u in "$found"/*/undo.sh; do [ -e "$u" ] && u=\${u%/undo.sh} && echo "undoable=\${u##*/}"; done
true`;

const UNDO_STEP = `
[ -e "$ARC_STEP_DIR/undone" ] && { echo @unchanged; exit 0; }
bash "$ARC_STEP_DIR/undo.sh" || exit
: > "$ARC_STEP_DIR/undone"
for u in "$ARC_STEP_DIR"/../*/undo.sh; do [ -e "\${u%/undo.sh}/undone" ] || exit 0; done
: > "$ARC_STEP_DIR/../undone"`;

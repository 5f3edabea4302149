import { AppError } from "../core/app-error.ts";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import type { CheckRow } from "../plan/check-rows.ts";
import { cleanText } from "../probe/clean-text.ts";
import type { SectionOutput } from "../probe/fact-reader.ts";
import { runOptions, type StepContext } from "./step-context.ts";
import { type SectionsRun, stepFolder } from "./step-script.ts";

/** Longest time between two looks at a step that goes on without us. */
const POLL_MS = 10_000;

/**
 * Waits over a new connection for a step that the host finishes by itself, and gives what it printed and how it ended.
 * Throws as the broken run would when the step never began, and HOST_CONNECTION_LOST when it is cut short or too long.
 */
export async function reattach(context: StepContext, row: CheckRow, broken: SectionsRun): Promise<SectionOutput> {
  const { clock, console, shell } = context;
  const deadlineMs = clock.nowMs() + row.step.timeoutMs;
  console.warn(`Lost ${shell.host} during "${row.step.name}"; the step goes on there, connecting again`);
  for (let attempt = 0; ; attempt++) {
    await clock.sleep(Math.min(1000 * 2 ** attempt, POLL_MS), context.signal);
    const look = await tryLook(context, row);
    if (look !== null && look.state !== "running") {
      await restoreLease(context);
      if (look.state === "ended") return look.output;
      // Nothing was begun, or nobody knows how far it got: the message of the broken run is the right one.
      expectOk(shell.host, broken.script, broken.result);
    }
    if (context.signal?.aborted || clock.nowMs() >= deadlineMs) {
      expectOk(
        shell.host,
        broken.script,
        context.signal?.aborted ? { ...broken.result, ended: "cancelled" } : broken.result,
      );
    }
    console.progress(`Waiting for "${row.step.name}" on ${shell.host}`);
  }
}

type Look = { readonly state: "running" | "gone" } | { readonly state: "ended"; readonly output: SectionOutput };

/** Null while there is no connection. */
async function tryLook(context: StepContext, row: CheckRow): Promise<Look | null> {
  const { shell, playbook } = context;
  const script: Script = {
    name: `look for "${row.step.name}"`,
    text: LOOK,
    env: { ARC_ROOT: context.root ?? "", ARC_STEP_DIR: stepFolder(context, row) },
    sudo: playbook.become,
  };
  try {
    await shell.reconnect();
    const result = await shell.run(script, runOptions(context, 30_000));
    if (result.ended !== "exited") return null;
    const text = cleanText(result.stdout);
    const rc = /^rc=(\d+)$/m.exec(text);
    if (rc) return { state: "ended", output: { exitCode: Number(rc[1]), text: text.slice(rc.index + rc[0].length) } };
    return { state: /^running$/m.test(text) ? "running" : "gone" };
  } catch (error) {
    if (error instanceof AppError && error.code === "HOST_UNREACHABLE") return null;
    throw error;
  }
}

/** The lock died with the connection. */
async function restoreLease({ lease }: StepContext): Promise<void> {
  await lease?.across(60_000, async () => {});
}

const LOOK = `
if [ -s "$ARC_STEP_DIR/rc" ]; then
  IFS= read -r rc < "$ARC_STEP_DIR/rc"
  echo "rc=$rc"
  cat "$ARC_STEP_DIR/log"
elif [ -s "$ARC_STEP_DIR/pid" ]; then
  read -r pid boot < "$ARC_STEP_DIR/pid"
  [ "$boot" = "$(cat "$ARC_ROOT/proc/sys/kernel/random/boot_id")" ] && [ -d "/proc/$pid" ] && echo running
fi
true`;

import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import { linesOf } from "../probe/clean-text.ts";
import { RUNS_FOLDER, runOptions, type StepContext } from "./step-context.ts";

const POLL_MS = 10_000;
/** A dkms build on a slow host takes a quarter of an hour. */
const LONGEST_MS = 1_800_000;

/**
 * Waits for steps of earlier runs that still go on on the host although their client is gone, so that two of them never
 * work at once. True when there was one: what is known of the host is old then.
 */
export async function awaitUnfinished(
  context: Pick<StepContext, "shell" | "clock" | "console" | "signal" | "root">,
): Promise<boolean> {
  const { shell, clock, console } = context;
  const env = { ARC_ROOT: context.root ?? "", RUNS: `${context.root ?? ""}${RUNS_FOLDER}` };
  const script: Script = { name: "look for unfinished steps", text: LOOK, env, sudo: true };
  const startedMs = clock.nowMs();
  for (let waited = false; ; waited = true) {
    const result = expectOk(shell.host, script, await shell.run(script, runOptions(context, 60_000)));
    const going = linesOf(result.stdout);
    if (going.length === 0 || clock.nowMs() - startedMs > LONGEST_MS) return waited;
    console.progress(`Waiting for a step of an earlier run on ${shell.host}: ${going.join(", ")}`);
    await clock.sleep(POLL_MS, context.signal);
  }
}

const LOOK = `
boot=$(cat "$ARC_ROOT/proc/sys/kernel/random/boot_id")
for f in "$RUNS"/*/*/pid; do
  [ -s "$f" ] && [ ! -s "\${f%/pid}/rc" ] || continue
  read -r pid then < "$f"
  [ "$then" = "$boot" ] && [ -d "/proc/$pid" ] && echo "\${f%/pid}"
done
true`;

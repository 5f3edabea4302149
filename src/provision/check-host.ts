import { randomBytes } from "node:crypto";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import { checkRows, checkSection } from "../plan/check-rows.ts";
import type { HostPlan } from "../plan/host-plan.ts";
import { hostSupport, planHost } from "../plan/plan-host.ts";
import type { Playbook } from "../playbook/playbook.ts";
import { STEP_PRELUDE } from "../playbook/step-prelude.ts";
import type { Shell } from "../ports/shell.ts";
import { renderBatch, splitBatch } from "../probe/batch.ts";
import type { SectionOutput } from "../probe/fact-reader.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { ambientEnv, runOptions } from "./step-context.ts";

export interface CheckContext {
  readonly shell: Shell;
  readonly playbook: Playbook;
  readonly facts: HostFacts;
  readonly signal?: AbortSignal;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
}

/**
 * Compares a host with a playbook in one round trip, whatever the number of steps, and changes nothing. Throws only
 * when the host could not be asked; what does not hold is in the plan (see planProblem).
 */
export async function checkHost(context: CheckContext): Promise<HostPlan> {
  const { playbook, facts } = context;
  const isForHost = hostSupport(playbook, facts)?.status !== "failed";
  return planHost(playbook, facts, isForHost ? await askHost(context) : new Map());
}

/** Runs every check of the playbook and gives what each printed. */
async function askHost(context: CheckContext): Promise<ReadonlyMap<string, SectionOutput>> {
  const { shell, playbook, facts } = context;
  const sections = checkRows(playbook, facts).flatMap((row) => checkSection(row) ?? []);
  if (sections.length === 0) return new Map();
  const mark = newMark();
  const batch = renderBatch(sections, mark, STEP_PRELUDE);
  const script: Script = {
    name: `check playbook "${playbook.name}"`,
    text: batch.text,
    env: { ...ambientEnv(context, facts), ...batch.env },
    // Without sudo a check sees less; it is still worth more than none.
    sudo: playbook.become && facts.login.canSudo !== false,
  };
  const result = await shell.run(script, runOptions(context, 300_000));
  expectOk(shell.host, script, result);
  return splitBatch(result.stdout, mark);
}

/** A word that no script prints by chance. */
export function newMark(): string {
  return `arc-vllm-${randomBytes(12).toString("hex")}`;
}

import { AppError } from "../core/app-error.ts";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import { checkRows, checkSection, isPerGpu } from "../plan/check-rows.ts";
import type { HostPlan } from "../plan/host-plan.ts";
import { planHost } from "../plan/plan-host.ts";
import { varsEnv } from "../playbook/compile-playbook.ts";
import type { Playbook } from "../playbook/playbook.ts";
import { STEP_PRELUDE } from "../playbook/step-prelude.ts";
import type { Clock } from "../ports/clock.ts";
import type { Shell } from "../ports/shell.ts";
import { renderBatch, splitBatch } from "../probe/batch.ts";
import type { SectionOutput } from "../probe/fact-reader.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { FACT_PRELUDE, FACT_SECTIONS, factsOf } from "../probe/probe-host.ts";
import { checkHost, newMark } from "./check-host.ts";
import { runOptions } from "./step-context.ts";

export interface LookContext {
  readonly shell: Shell;
  readonly clock: Clock;
  readonly playbook: Playbook;
  readonly signal?: AbortSignal;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
}

export interface HostLook {
  readonly facts: HostFacts;
  readonly plan: HostPlan;
}

/**
 * `probeHost` and `checkHost` in one round trip, whatever the number of steps. It takes a second one when a check has to
 * be run for every card, which nobody knows before. Changes nothing; throws when the host could not be asked.
 */
export async function lookAtHost(context: LookContext): Promise<HostLook> {
  const { shell, clock, playbook } = context;
  const outputs = await ask(context, playbook.become);
  const facts = factsOf(shell.host, clock.isoNow(), outputs);
  const isMissing = checkRows(playbook, facts)
    .filter(({ step, gpu }) => gpu !== null || !isPerGpu(step))
    .some((row) => checkSection(row) !== null && !outputs.has(row.id));
  return { facts, plan: isMissing ? await checkHost({ ...context, facts }) : planHost(playbook, facts, outputs) };
}

/** Without sudo a look sees less; it is still worth more than none. */
async function ask(context: LookContext, sudo: boolean): Promise<ReadonlyMap<string, SectionOutput>> {
  const { shell } = context;
  const mark = newMark();
  const script = lookScript(context, mark, sudo);
  try {
    const result = await shell.run(script, runOptions(context, 300_000));
    expectOk(shell.host, script, result);
    return splitBatch(result.stdout, mark);
  } catch (error) {
    if (sudo && error instanceof AppError && error.code === "HOST_NO_SUDO") return ask(context, false);
    throw error;
  }
}

function lookScript({ playbook, root = "" }: LookContext, mark: string, sudo: boolean): Script {
  const rows = playbook.steps.map((step, index) => ({ id: `step-${index}`, step, gpu: null }));
  const checks = rows.filter(({ step }) => !isPerGpu(step)).flatMap((row) => checkSection(row) ?? []);
  const { text, env } = renderBatch([...FACT_SECTIONS, IS_FOR_HOST, ...checks], mark, FACT_PRELUDE + STEP_PRELUDE);
  const { os, releases, arch } = playbook.hosts;
  return {
    name: `read the facts and check playbook "${playbook.name}"`,
    text,
    env: {
      ...varsEnv(playbook),
      ...env,
      ARC_ROOT: root,
      ARC_RUN_DIR: "",
      ARC_STEP_DIR: "",
      ARC_FOR_OS: os ?? "",
      ARC_FOR_RELEASES: releases?.join(" ") ?? "",
      ARC_FOR_MACHINE: arch === null ? "" : (MACHINES[arch] ?? arch),
    },
    sudo,
  };
}

/** `uname -m` for the architectures of a playbook. */
const MACHINES: Readonly<Record<string, string>> = { amd64: "x86_64", arm64: "aarch64" };

/** Bash of a playbook is written for its hosts: on another host the script ends with the facts. */
const IS_FOR_HOST = `export ARC_LOGIN_USER="\${SUDO_USER:-$(id -un)}"
(
  . "$ARC_ROOT/etc/os-release" || . "$ARC_ROOT/usr/lib/os-release"
  [ -z "$ARC_FOR_OS" ] || [ "$ARC_FOR_OS" = "$ID" ] || exit
  case " $ARC_FOR_RELEASES " in "  " | *" $VERSION_ID "*) ;; *) exit 1 ;; esac
  [ -z "$ARC_FOR_MACHINE" ] || [ "$ARC_FOR_MACHINE" = "$(uname -m)" ]
) >/dev/null 2>&1 || exit 0`;

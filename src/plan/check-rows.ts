import type { Playbook, PlaybookStep } from "../playbook/playbook.ts";
import type { Section } from "../probe/batch.ts";
import type { GpuFacts, HostFacts } from "../probe/host-facts.ts";
import { discreteGpus } from "../requirements/requirement.ts";

/** One line of a plan: a step, or a step for one GPU. */
export interface CheckRow {
  /** Unique in the plan; names the section of the batch. */
  readonly id: string;
  readonly step: PlaybookStep;
  readonly gpu: GpuFacts | null;
}

/** Every row that a playbook has on this host. A step for each GPU has one row per card, or one without a card. */
export function checkRows(playbook: Playbook, facts: HostFacts): readonly CheckRow[] {
  return playbook.steps.flatMap((step, index): CheckRow[] => {
    const cards = isPerGpu(step) ? discreteGpus(facts) : [];
    if (cards.length === 0) return [{ id: `step-${index}`, step, gpu: null }];
    return cards.map((gpu, card) => ({ id: `step-${index}-${card}`, step, gpu }));
  });
}

export function isPerGpu({ work }: PlaybookStep): boolean {
  return work.type === "assert" && work.eachGpu;
}

/** What has to be asked of the host for a row; null when the facts are enough. Changes nothing on the host. */
export function checkSection({ id, step, gpu }: CheckRow): Section | null {
  if (step.isLeftOut) return null;
  const text = checkText(step);
  if (text === null && step.when === null) return null;
  const guard = step.when === null ? "" : `( ${step.when})\n[ "$?" = 0 ] || arc_skip "does not apply to this host"\n`;
  const { work } = step;
  const env = {
    ...(work.type === "scripts" ? work.env : {}),
    ...(work.type === "reboot" ? { RELEASE: work.expect.uname ?? "" } : {}),
    ...(gpu === null ? {} : { GPU_BDF: gpu.bdf, GPU_DEVICE_ID: gpu.deviceId, GPU_NAME: gpu.name }),
  };
  return { name: id, text: `${guard}${text ?? "exit 0"}`, env };
}

function checkText({ work }: PlaybookStep): string | null {
  if (work.type === "scripts") return work.check;
  if (work.type === "reboot") return REBOOT_CHECK;
  return "check" in work.by ? work.by.check : null;
}

/** A downgrade of the kernel never makes the distribution ask for a reboot: the release decides. */
const REBOOT_CHECK = `
running=$(uname -r)
[ -z "$RELEASE" ] || [ "$running" = "$RELEASE" ] || arc_differs "runs $running" "runs $RELEASE"
[ ! -e "$ARC_ROOT/var/run/reboot-required" ] || arc_differs "the host asks for a reboot" "rebooted"
arc_reboot_is_asked && arc_differs "a step asked for a reboot" "rebooted"
[ "$arc_rc" = 0 ] && arc_evidence "runs $running"
exit "$arc_rc"
`;

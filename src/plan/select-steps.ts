import type { Playbook } from "./playbook.ts";

/** The playbook with the steps of some tags only. Steps that have the tag "always" stay. */
export function selectSteps(playbook: Playbook, tags: readonly string[], skip: readonly string[] = []): Playbook {
  const steps = playbook.steps.filter((step) => {
    const wanted = tags.length === 0 || step.tags.some((tag) => tag === "always" || tags.includes(tag));
    return wanted && !step.tags.some((tag) => skip.includes(tag));
  });
  return { ...playbook, steps };
}

import { inputProblems } from "../config/input-problems.ts";
import { nearestWord } from "../config/nearest-word.ts";
import { AppError } from "../core/app-error.ts";
import { showValue } from "../core/show-value.ts";
import type { Playbook, PlaybookStep } from "./playbook.ts";

/**
 * Leaves steps out: those without any of `tags` (unless it is empty) and those with one of `skipTags`. Steps that have
 * the tag "always" are left out by its name only. What is left out stays in the playbook, so that reports can show it.
 * Throws INPUT_INVALID for a tag that no step has.
 */
export function selectSteps(playbook: Playbook, tags: readonly string[], skipTags: readonly string[]): Playbook {
  refuseUnknown(playbook, [...tags, ...skipTags]);
  const isWanted = (step: PlaybookStep) =>
    (tags.length === 0 || step.tags.some((tag) => tag === "always" || tags.includes(tag))) &&
    !step.tags.some((tag) => skipTags.includes(tag));
  return { ...playbook, steps: playbook.steps.map((step) => ({ ...step, isLeftOut: !isWanted(step) })) };
}

/** What a record has to say about a playbook that was not applied as a whole. */
export function leftOutWarnings({ name, steps }: Playbook): string[] {
  const leftOut = steps.filter(({ isLeftOut }) => isLeftOut).map((step) => `"${step.name}"`);
  if (leftOut.length === 0) return [];
  return [`Tags left out ${leftOut.length} of ${steps.length} steps of playbook "${name}": ${leftOut.join(", ")}`];
}

/** The step of that number, counted from 1, or of that name. Throws INPUT_INVALID when there is none. */
export function findStep({ name, steps }: Playbook, id: string): PlaybookStep {
  const found = steps.find((step, index) => step.name === id || String(index + 1) === id);
  if (found !== undefined) return found;
  const near = nearestWord(
    id,
    steps.map((step) => step.name),
  );
  const wanted = near === null ? `a name or a number from 1 to ${steps.length} is wanted` : `did you mean "${near}"?`;
  throw new AppError("INPUT_INVALID", {
    message: `Cannot find step ${showValue(id)} in playbook "${name}": ${wanted}`,
    hint: "See its steps with: arc-vllm play list PLAYBOOK",
  });
}

function refuseUnknown({ name, steps }: Playbook, tags: readonly string[]): void {
  const known = [...new Set(steps.flatMap((step) => step.tags))].sort();
  const unknown = tags.filter((tag) => !known.includes(tag));
  if (unknown.length === 0) return;
  const problems = unknown.map((tag) => {
    const near = nearestWord(tag, known);
    const wanted =
      near === null ? `wanted one of ${known.join(", ") || "none, it has no tags"}` : `did you mean "${near}"?`;
    return `no step has the tag ${showValue(tag)}, ${wanted}`;
  });
  throw inputProblems(
    `these tags with playbook "${name}"`,
    problems,
    "See the tags of its steps with: arc-vllm play list PLAYBOOK",
  );
}

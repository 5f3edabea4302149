/** A step of a plan, or of what was made of it. */
interface ChangingStep {
  readonly name: string;
  readonly status: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly diff?: string | null;
}

/** What the steps change, each under its name: "-" what is, "+" what is wanted, files as unified diffs; "" for nothing. */
export function renderDiff(steps: readonly ChangingStep[]): string {
  return steps
    .filter(({ status }) => status === "would-change" || status === "changed")
    .map((step) => `# ${step.name}\n${step.diff ?? withoutDiff(step)}`)
    .join("\n\n");
}

/** Of an older record, or of a check that says no more than that something differs. */
function withoutDiff({ before, after }: ChangingStep): string {
  const lines = [...(before === null ? [] : [`-${before}`]), ...(after === null ? [] : [`+${after}`])];
  return lines.join("\n") || "  its check does not say what";
}

import type { LoadPoint } from "../measure/load-point.ts";
import type { PlannedStep } from "../plan/host-plan.ts";
import type { StepOutcome } from "../provision/provision-record.ts";
import type { RunRecord } from "../record/run-record.ts";
import { clientProperties } from "./client-lines.ts";
import { formatCount, formatDuration } from "./format-value.ts";
import { workloadSuites } from "./junit-comparisons.ts";
import { classnamePart, type JunitCase, type JunitOutcome, type JunitSuite } from "./junit-suite.ts";
import { type Reported, runLabels } from "./reported-run.ts";

/** Every run as suites: what the playbook found or did, how the run went, and each workload with its gates. */
export function junitSuites({ runs }: Pick<Reported, "runs">): JunitSuite[] {
  const labels = runLabels(runs);
  return runs.flatMap((run, index) => {
    const label = labels[index] ?? run.record.host;
    return [...hostSuites(run.record, label), runSuite(run.record, label), ...workloadSuites(run, label)];
  });
}

/** The playbook: what was done, or, when nothing was to be changed, what was found. */
function hostSuites({ provision, plan, run }: RunRecord, label: string): JunitSuite[] {
  if (provision !== null) {
    const cases = provision.steps.map((step) => stepCase(label, provision.playbook, step, outcomeOfStep(step)));
    return [{ name: `${label} / playbook ${provision.playbook}`, timestamp: run.startedAt, cases: distinct(cases) }];
  }
  if (plan !== null) {
    const cases = plan.steps.map((step) => stepCase(label, plan.playbook, step, outcomeOfPlanned(step)));
    return [{ name: `${label} / check ${plan.playbook}`, timestamp: run.startedAt, cases: distinct(cases) }];
  }
  return [];
}

function stepCase(label: string, playbook: string, step: PlannedStep | StepOutcome, outcome: JunitOutcome): JunitCase {
  return {
    classname: `arc.${classnamePart(label)}.playbook.${classnamePart(playbook)}`,
    name: step.name,
    seconds: "durationMs" in step ? step.durationMs / 1000 : 0,
    outcome,
    properties: [
      ["arcvllm.kind", step.kind],
      ["arcvllm.status", step.status],
    ],
    systemOut: step.before === null && step.after === null ? null : `is: ${step.before}\nwanted: ${step.after}`,
  };
}

function outcomeOfStep(step: StepOutcome): JunitOutcome {
  switch (step.status) {
    case "ok":
    case "changed":
      return { kind: "passed" };
    case "warning":
      return { kind: "skipped", message: `warning: ${shortfall(step)}` };
    case "failed":
      return { kind: "failure", type: "StepFailed", message: shortfall(step), text: textOf(step, step.output) };
    case "blocked":
    case "skipped":
      return { kind: "skipped", message: step.remedy ?? step.before ?? step.status };
  }
}

function outcomeOfPlanned(step: PlannedStep): JunitOutcome {
  switch (step.status) {
    case "ok":
      return { kind: "passed" };
    case "would-change":
      return { kind: "skipped", message: `would change: ${shortfall(step)}` };
    case "warning":
      return { kind: "skipped", message: `warning: ${shortfall(step)}` };
    case "failed":
      return {
        kind: "failure",
        type: "RequirementFailed",
        message: shortfall(step),
        text: textOf(step, step.evidence),
      };
    case "blocked":
    case "skipped":
      return { kind: "skipped", message: step.remedy ?? step.before ?? step.status };
  }
}

function shortfall(step: PlannedStep | StepOutcome): string {
  if (step.before === null && step.after === null) return `${step.name}: ${step.status}`;
  return `${step.name}: is ${step.before ?? "not known"}, ${step.after ?? "another state"} is wanted`;
}

function textOf(step: PlannedStep | StepOutcome, evidence: string | null): string {
  return [
    `is:      ${step.before ?? "not known"}`,
    `wanted:  ${step.after ?? "not given"}`,
    ...(step.remedy === null ? [] : [`to do:   ${step.remedy}`]),
    ...(evidence === null ? [] : ["", evidence]),
  ].join("\n");
}

/** Two steps of one name would be one test to GitLab, which drops the second. */
function distinct(cases: readonly JunitCase[]): JunitCase[] {
  return cases.map((junitCase, index) => {
    const earlier = cases.slice(0, index).filter((other) => other.name === junitCase.name).length;
    return earlier === 0 ? junitCase : { ...junitCase, name: `${junitCase.name} (${earlier + 1})` };
  });
}

function runSuite(record: RunRecord, label: string): JunitSuite {
  const classname = `arc.${classnamePart(label)}.run`;
  const { deployment, failure } = record;
  const ready: JunitCase = {
    classname,
    name: "server becomes ready",
    seconds: (deployment?.readyMs ?? 0) / 1000,
    outcome: deployment === null ? { kind: "skipped", message: "no server was started" } : { kind: "passed" },
    properties: [],
    systemOut: deployment === null || deployment.argv.length === 0 ? null : deployment.argv.join(" "),
  };
  const ends: JunitCase = {
    classname,
    name: "run ends without an error",
    seconds: 0,
    outcome: outcomeOfRun(record),
    properties: [
      ["arcvllm.run", record.run.id],
      ["arcvllm.simulated", String(record.simulated)],
      ...clientProperties(record),
    ],
    systemOut: failure === null ? measuredText(record.points) : null,
  };
  return { name: `${label} / run`, timestamp: record.run.startedAt, cases: [ready, ends] };
}

function outcomeOfRun({ failure }: RunRecord): JunitOutcome {
  if (failure === null) return { kind: "passed" };
  return { kind: "error", type: failure.code, message: failure.message, text: `to do: ${failure.hint}` };
}

function measuredText(points: readonly LoadPoint[]): string | null {
  if (points.length === 0) return null;
  return `${formatCount(points.length, "load point")} in ${formatDuration(points.reduce((sum, point) => sum + point.durationMs, 0))}`;
}

import { varsEnv } from "./compile-playbook.ts";
import type { Playbook, PlaybookStep } from "./playbook.ts";

/** For whom a playbook is rendered; null: for any host. */
export interface RenderedHost {
  readonly name: string;
  readonly user: string | null;
}

/**
 * The scripts that a playbook compiles to, for a person to read: what `provision` would run, in order, with the values
 * that each script gets. Not meant to be run: the real thing also keeps what undo needs.
 */
export function renderPlaybook(
  playbook: Playbook,
  host: RenderedHost | null = null,
  only: PlaybookStep | null = null,
): string {
  const login = host?.user ?? null;
  const about = [
    `# Playbook: ${playbook.name} (${playbook.path})`,
    `# Hosts: ${describeHosts(playbook)}; ${playbook.become ? "as root" : "as the login user"}`,
    ...(host === null ? [] : [`# For host: ${host.name}`]),
    ...(login === null ? [] : [value("ARC_LOGIN_USER", login)]),
    ...Object.entries(varsEnv(playbook)).map(([name, text]) => value(name, text)),
  ];
  const steps = playbook.steps.flatMap((step, index) =>
    only === null || step === only ? [renderStep(step, index)] : [],
  );
  return [about.join("\n"), ...steps].join("\n\n");
}

/** A value beside its script, never inside it: that is how the script gets it, too. */
function value(name: string, text: string): string {
  return `# $${name} = ${JSON.stringify(text)}`;
}

export function describeHosts({ hosts: { os, releases, arch } }: Playbook): string {
  return [os, releases?.join(" or "), arch].filter(Boolean).join(" ") || "any";
}

function renderStep(step: PlaybookStep, index: number): string {
  const words = [
    ...(step.needs.length > 0 ? [`needs ${step.needs.map((need) => JSON.stringify(need)).join(", ")}`] : []),
    ...(step.isLeftOut ? ["left out by tags"] : []),
    ...(step.tags.length > 0 ? [`tags ${step.tags.join(", ")}`] : []),
    `time-out ${step.timeoutMs / 1000} s`,
    ...(step.rebootIfChanged ? ["asks for a reboot when it changes something"] : []),
  ];
  return [
    `# ${"=".repeat(70)}`,
    `# ${index + 1}. ${step.name} (${step.kind}; ${words.join("; ")})`,
    ...(step.when === null ? [] : [part("when", step.when)]),
    ...renderWork(step),
    ...(step.remedy === null ? [] : [`# remedy: ${step.remedy.trim().replaceAll("\n", "\n#   ")}`]),
  ].join("\n");
}

function renderWork({ work }: PlaybookStep): string[] {
  if (work.type === "reboot") {
    const { uname, paths, units } = work.expect;
    const expected = [...(uname === null ? [] : [`kernel ${uname}`]), ...paths, ...units].join(", ");
    return [
      `# reboot when needed, within ${work.timeoutMs / 1000} s${expected === "" ? "" : `; then expect ${expected}`}`,
    ];
  }
  if (work.type === "assert") {
    const each = work.eachGpu ? " of each card" : "";
    if ("check" in work.by) return [part(`assert${each} (${work.severity})`, work.by.check)];
    const want = work.by.want === null ? "" : ` ${work.by.want}`;
    return [`# assert ${work.by.requirement}${want}${each} (${work.severity}), judged from the facts`];
  }
  return [
    ...Object.entries(work.env).map(([name, text]) => value(name, text)),
    part("check", work.check),
    part(`apply${work.onDisconnect === "finish" ? " (ends by itself when the connection breaks)" : ""}`, work.apply),
    ...(work.afterReboot === null ? [] : [part("after the reboot", work.afterReboot)]),
    ...(work.undo === null ? [] : [part("undo", work.undo)]),
  ];
}

function part(title: string, script: string): string {
  return `# --- ${title}\n${script.trim()}`;
}

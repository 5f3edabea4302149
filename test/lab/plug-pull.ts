import { seededRandom } from "../../src/prompts/seeded-random.ts";
import { startArcVllm } from "./arc-vllm.ts";
import type { LabHost } from "./lab-host.ts";

/** When a run said that a step was done, or that it reboots the host. */
export interface Moment {
  readonly step: string;
  readonly atMs: number;
}

/** One way to break a run, at one moment of it. */
export interface PlugPull {
  readonly what: "client" | "sshd" | "host";
  /** The moment: so long after the run has said that this step is done. */
  readonly afterStep: string;
  readonly delayMs: number;
  /** How many reboots of a whole run lie before it: where to start from to be there sooner. */
  readonly reboots: number;
}

const REBOOT = "Rebooting";
const KINDS = ["client", "sshd", "host"] as const;

/** The step that a line of a run's log tells of; null for any other line. */
export function stepOf(line: string): string | null {
  if (line.startsWith(REBOOT)) return REBOOT;
  return /^(?:ok|changed|skipped|warning) +(.*?)(?:: .*)?$/.exec(line)?.[1] ?? null;
}

/** Moments that are as likely in every second of a whole run, the first as the last; each kind of pull in turn. */
export function randomPulls(seed: string, count: number, run: readonly Moment[]): PlugPull[] {
  const random = seededRandom(seed);
  const first = run[0]?.atMs ?? 0;
  const last = run.at(-1)?.atMs ?? 0;
  return Array.from({ length: count }, (_, index) => {
    const atMs = first + random() * (last - first);
    const before = run.filter((moment) => moment.atMs <= atMs);
    const { step, atMs: stepMs } = before.at(-1) as Moment;
    const reboots = before.filter((moment) => moment.step === REBOOT).length - (step === REBOOT ? 1 : 0);
    const what = KINDS[index % KINDS.length] as PlugPull["what"];
    return { what, afterStep: step, delayMs: Math.round(atMs - stepMs), reboots };
  });
}

/**
 * Starts `arc-vllm provision` as a process of its own, breaks it at the moment, and waits until it has ended in whatever
 * way. Afterwards the host is on. Returns what it printed.
 */
export async function runAndPull(host: LabHost, sections: object, pull: PlugPull): Promise<string> {
  let isThere: () => void = () => {};
  const there = new Promise<void>((resolve) => {
    isThere = resolve;
  });
  const run = await startArcVllm(host, "provision", sections, (line) => {
    if (stepOf(line) === pull.afterStep) setTimeout(isThere, pull.delayMs);
  });
  // A run that is faster than the one the moment was taken from may be over by then.
  const early = await Promise.race([there, run.ended]);
  if (early !== undefined && early.exitCode !== 0) throw new Error(`It failed unbroken:\n${early.output}`);
  if (pull.what === "client") run.process.kill("SIGKILL");
  if (pull.what === "sshd") await host.root("pkill -KILL -x sshd");
  if (pull.what === "host") {
    await host.powerCut();
    host.powerOn();
  }
  const { output } = await run.ended;
  await host.waitForSsh();
  return output;
}

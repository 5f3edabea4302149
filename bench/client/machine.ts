import { readFileSync } from "node:fs";

/** One reading of /proc/stat, in clock ticks. */
export interface MachineReading {
  readonly busy: readonly number[];
  readonly stolen: number;
  readonly total: number;
}

export interface MachineUse {
  /** Time that the hypervisor gave to somebody else, % of all. */
  readonly stealPct: number;
  /** Busy time of each core, %. */
  readonly corePct: readonly number[];
}

export function readMachine(): MachineReading {
  return parseMachine(readFileSync("/proc/stat", "utf8"));
}

/** Fields: user nice system idle iowait irq softirq steal (proc_stat(5)). */
export function parseMachine(text: string): MachineReading {
  const cores = text
    .split("\n")
    .filter((line) => /^cpu\d/.test(line))
    .map((line) => line.split(/\s+/).slice(1, 9).map(Number));
  const sum = (ticks: readonly number[]) => ticks.reduce((all, each) => all + each, 0);
  return {
    busy: cores.map((ticks) => sum(ticks) - ticks[3]! - ticks[4]! - ticks[7]!),
    stolen: sum(cores.map((ticks) => ticks[7]!)),
    total: sum(cores.map(sum)),
  };
}

export function machineUse(before: MachineReading, after: MachineReading): MachineUse {
  const total = Math.max(1, after.total - before.total);
  const perCore = total / after.busy.length;
  return {
    stealPct: (100 * (after.stolen - before.stolen)) / total,
    corePct: after.busy.map((busy, core) => (100 * (busy - before.busy[core]!)) / perCore),
  };
}

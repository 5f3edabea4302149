import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface MeasuredRun {
  readonly wallMs: number;
  /** User and system time of the process and of all children it has waited for. */
  readonly cpuMs: number;
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a program from start to exit. bash does the timing: node has no resource usage of one child. */
export function measuredRun(
  argv: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): MeasuredRun {
  const times = join(options.cwd, "times");
  const script = 'TIMEFORMAT="%R %U %S"; exec 3>&2; { time "$@" 2>&3; } 2>"$TIMES"';
  const result = spawnSync("bash", ["--noprofile", "--norc", "-c", script, "bash", ...argv], {
    cwd: options.cwd,
    env: { PATH: process.env["PATH"] ?? "", LANG: "C.UTF-8", ...options.env, TIMES: times },
    encoding: "utf8",
    maxBuffer: 64_000_000,
  });
  const [wall = 0, user = 0, system = 0] = readFileSync(times, "utf8").trim().split(" ").map(Number);
  return {
    wallMs: wall * 1000,
    cpuMs: (user + system) * 1000,
    exitCode: result.status ?? -1,
    output: `${result.stdout}\n${result.stderr}`,
  };
}

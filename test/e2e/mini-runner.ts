import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const repository = resolve(import.meta.dirname, "../..");

/** A test that timed out must not leave a process that takes the processor from the next one. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function watched(child: ChildProcess): void {
  running.add(child);
  child.on("close", () => running.delete(child));
}

export interface StepResult {
  readonly exitCode: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly summary: string;
}

export interface StepOptions {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the running process, for signals. */
  readonly onStart?: (child: ChildProcess, log: () => string) => void;
}

/** What GitHub's runner does around a JavaScript action: inputs and files by environment, main, later post with the state. */
export class MiniRunner {
  readonly workspace = mkdtempSync(join(tmpdir(), "arc-vllm-e2e-"));

  main(options: StepOptions = {}): Promise<StepResult> {
    return this.#step({}, options);
  }

  post(state: Readonly<Record<string, string>>, options: StepOptions = {}): Promise<StepResult> {
    const fromState = Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]);
    return this.#step(Object.fromEntries(fromState), options);
  }

  /** A file in the workspace, as a checkout would have left it. */
  write(name: string, text: string): string {
    const path = join(this.workspace, name);
    writeFileSync(path, text);
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.workspace, name), "utf8");
  }

  #step(state: Record<string, string>, options: StepOptions): Promise<StepResult> {
    const files = mkdtempSync(join(tmpdir(), "arc-vllm-runner-"));
    const file = (name: string) => {
      const path = join(files, name);
      writeFileSync(path, "");
      return path;
    };
    const paths = { output: file("output"), state: file("state"), summary: file("summary"), env: file("env") };
    // A check before each run would make every test wait for it.
    const inputs = Object.entries({ "certificate-seconds": "0", ...options.inputs }).map(([name, value]) => [
      `INPUT_${name.toUpperCase()}`,
      value,
    ]);
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: files,
      GITHUB_ACTIONS: "true",
      GITHUB_RUN_ID: "4711",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_JOB: "bench",
      GITHUB_REPOSITORY: "octo/serving",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_EVENT_NAME: "push",
      GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
      GITHUB_REF_NAME: "main",
      GITHUB_WORKSPACE: this.workspace,
      GITHUB_OUTPUT: paths.output,
      GITHUB_STATE: paths.state,
      GITHUB_STEP_SUMMARY: paths.summary,
      GITHUB_ENV: paths.env,
      RUNNER_TEMP: files,
      ...Object.fromEntries(inputs),
      ...state,
      ...options.env,
    };
    return new Promise((done, failed) => {
      const child = spawn(process.execPath, [join(repository, "dist/index.cjs")], { cwd: this.workspace, env });
      watched(child);
      let log = "";
      child.stdout.on("data", (chunk) => {
        log += String(chunk);
      });
      child.stderr.on("data", (chunk) => {
        log += String(chunk);
      });
      child.on("error", failed);
      child.on("close", (exitCode) =>
        done({
          exitCode,
          log,
          outputs: keyValues(readFileSync(paths.output, "utf8")),
          state: keyValues(readFileSync(paths.state, "utf8")),
          summary: readFileSync(paths.summary, "utf8"),
        }),
      );
      options.onStart?.(child, () => log);
    });
  }
}

/** The `NAME<<DELIMITER` files that actions write. */
function keyValues(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const match of text.matchAll(/^(.+?)<<(.+)\n([\s\S]*?)\n\2$/gm)) {
    found[match[1] as string] = match[3] as string;
  }
  return found;
}

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line the way a user does. */
export function runCli(
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string>; onStart?: (child: ChildProcess, log: () => string) => void },
): Promise<CliResult> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [join(repository, "dist/cli.cjs"), ...args], {
      cwd: options.cwd,
      env: { PATH: process.env["PATH"] ?? "", HOME: options.cwd, ...options.env },
    });
    watched(child);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk);
    });
    child.on("error", failed);
    child.on("close", (exitCode) => done({ exitCode, stdout, stderr }));
    options.onStart?.(child, () => stdout + stderr);
  });
}

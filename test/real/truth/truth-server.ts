import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readTruthLog, type TruthRequest } from "../../../bench/client/truth-log.ts";

const root = resolve(import.meta.dirname, "../../..");

export interface TruthServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Everything so far. */
  log(): Promise<readonly TruthRequest[]>;
}

/** Compiles and starts the truth server: first token after `ttftMs`, then one every `itlMs`. */
export async function startTruthServer(options: {
  readonly ttftMs: number;
  readonly itlMs: number;
  readonly jitter?: number;
}): Promise<TruthServer> {
  execFileSync("bash", [join(root, "bench/client/build.sh")]);
  const folder = mkdtempSync(join(tmpdir(), "truth-"));
  const path = join(folder, "log.jsonl");
  const { ttftMs, itlMs, jitter = 0 } = options;
  const child = spawn(
    join(root, ".cache/bench-client/truth-server"),
    ["--port", "0", "--log", path, "--ttft-ms", `${ttftMs}`, "--itl-ms", `${itlMs}`, "--jitter", `${jitter}`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise((resolveEnd) => child.on("close", resolveEnd));
  const port = await new Promise<number>((resolvePort, reject) => {
    child.stdout.on("data", (text: Buffer) => resolvePort(Number(/listening on (\d+)/.exec(text.toString())?.[1])));
    child.on("exit", () => reject(new Error("the truth server did not start")));
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  return {
    baseUrl,
    async log() {
      await fetch(`${baseUrl}/log`, { method: "POST" });
      return readTruthLog(path);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { RunRecord } from "../../src/record/run-record.ts";

const standIn = resolve(import.meta.dirname, "../fakes/stand-in-vllm.mjs");

export interface WorkspaceOptions {
  readonly folder?: string;
  readonly requests?: number;
  /** Time per token of the stand-in server. */
  readonly itlMs?: number;
  /** STAND_IN of fakes/stand-in-vllm.mjs. */
  readonly mode?: string;
  readonly readyTimeout?: string;
  readonly gate?: string;
}

/** A workspace whose configuration serves a stand-in `vllm` on this machine and measures it. */
export class ServedWorkspace {
  readonly folder: string;
  readonly port: number;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  static async make(options: WorkspaceOptions = {}): Promise<ServedWorkspace> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "arc-vllm-served-"));
    mkdirSync(join(folder, "venv/bin"), { recursive: true });
    const command = `#!/bin/sh\nexec "${process.execPath}" "${standIn}" "$@"\n`;
    writeFileSync(join(folder, "venv/bin/vllm"), command, { mode: 0o755 });
    mkdirSync(join(folder, "tiny"), { recursive: true });
    writeFileSync(join(folder, "tiny/config.json"), "{}");
    const workspace = new ServedWorkspace(folder, await freePort());
    workspace.configure(options);
    return workspace;
  }

  configure({ requests = 8, itlMs = 4, mode = "serve", readyTimeout = "20s", gate = "" }: WorkspaceOptions): void {
    // Not by configuration: a server that is configured in another way is another recipe.
    writeFileSync(join(this.folder, "itl-ms"), String(itlMs));
    writeFileSync(
      join(this.folder, "arc-vllm.yml"),
      `version: 1
hosts: [{ name: here, connection: local }]
serve:
  engine: vllm
  venv: ${this.folder}/venv
  model: ${this.folder}/tiny
  served-model-name: tiny
  port: ${this.port}
  env: { STAND_IN: ${mode}, STAND_IN_PIDS: "${this.folder}/pids", STAND_IN_ITL_FILE: "${this.folder}/itl-ms" }
  ready-timeout: ${readyTimeout}
workloads:
  - { name: short, input-tokens: 16, output-tokens: 24, concurrency: [2], requests-per-level: ${requests}, repeats: 3 }
history: { store: folder, path: history }
${gate}
`,
    );
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  /** The record in the report folder, as far as the run got. */
  record(): Record<string, unknown> {
    const names = readdirSync(join(this.folder, "arc-vllm-report")).filter((file) => file.startsWith("record-"));
    return JSON.parse(this.read(`arc-vllm-report/${names.at(-1)}`));
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** The record of one host of several. */
  recordOf(host: string): RunRecord {
    const names = readdirSync(join(this.folder, "arc-vllm-report")).filter((file) => file.endsWith(`-${host}.json`));
    const name = names.find((file) => file.startsWith("record-"));
    return JSON.parse(this.read(`arc-vllm-report/${name}`));
  }

  /** Processes of the server that still run; a zombie does not. */
  alive(): string[] {
    const file = join(this.folder, "pids");
    const pids = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    return pids.filter((pid) => existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
  }

  async untilNothingIsAlive(withinMs: number): Promise<string[]> {
    const deadline = Date.now() + withinMs;
    while (this.alive().length > 0 && Date.now() < deadline) await new Promise((done) => setTimeout(done, 100));
    return this.alive();
  }
}

/** Below the range from which the kernel takes ports for outgoing connections. */
async function freePort(): Promise<number> {
  for (let port = 30_000 + (process.pid % 2_000); ; port += 1) {
    const isFree = await new Promise<boolean>((done) => {
      const server = createServer();
      server.on("error", () => done(false));
      server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
    });
    if (isFree) return port;
  }
}

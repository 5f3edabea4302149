import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostSpec } from "../../../src/config/run-config.ts";
import { eventually, isAlive, processesThat } from "../../contract/process-probe.ts";
import { type RealSshd, startRealSshd } from "./real-sshd.ts";
import type { ClientTask } from "./ssh-client-program.ts";

let sshd: RealSshd;
let folder: string;
let program: string;
beforeAll(async () => {
  sshd = await startRealSshd();
  folder = mkdtempSync(join(tmpdir(), "arc-vllm-killed-"));
  program = join(folder, "client.cjs");
  // As the product is bundled: one CommonJS file without ssh2's native parts.
  buildSync({
    entryPoints: [join(import.meta.dirname, "ssh-client-program.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["cpu-features"],
    loader: { ".node": "empty" },
    logLevel: "error",
  });
});
afterAll(async () => {
  await sshd.close();
  rmSync(folder, { recursive: true });
});

const local: HostSpec = { connection: "local", name: "here", address: "127.0.0.1" };
const hosts = [
  { name: "the local shell", host: () => local },
  { name: "ssh2", host: (): HostSpec => ({ ...sshd.spec, transport: "ssh2" }) },
  { name: "the ssh client", host: (): HostSpec => ({ ...sshd.spec, transport: "openssh" }) },
];

describe.each(hosts)("a program with $name in one bundled file", ({ name, host }) => {
  const start = (task: Pick<ClientTask, "text" | "onDisconnect">): ChildProcess => {
    const path = join(folder, `${name.replaceAll(" ", "-")}-${task.onDisconnect}.json`);
    writeFileSync(path, JSON.stringify({ host: host(), keyPath: sshd.userKeyPath, ...task } satisfies ClientTask));
    return spawn(process.execPath, [program, path], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  };

  it("runs a script and ends by itself", async () => {
    const client = start({ text: "echo out; exit 3", onDisconnect: "kill" });
    const [printed, [code]] = await Promise.all([allOf(client), once(client, "exit")]);
    expect({ printed, code }).toEqual({ printed: "out\nexited 3\n", code: 0 });
  });

  it("leaves no script, no connection and no watchdog behind when it is killed", async () => {
    const client = start({ text: "echo $$; sleep 100 & echo $!; wait", onDisconnect: "kill" });
    const pids = await linesOf(client, 2);
    client.kill("SIGKILL");
    await eventually(() => expect(pids.filter(isAlive)).toEqual([]));
    const isLeft = (session: string, line: string) => session === pids[0] || line.includes(`-p ${sshd.spec.port} `);
    await eventually(() => expect(processesThat(isLeft)).toEqual([]));
  });

  it("lets a script finish that must, when it is killed", async () => {
    const file = join(folder, `${name}-finished`);
    const text = `echo $$; for i in {1..10}; do sleep 0.1; echo $i || exit; done; echo done >'${file}'`;
    const client = start({ text, onDisconnect: "finish" });
    await linesOf(client, 2);
    client.kill("SIGKILL");
    await eventually(() => expect(existsSync(file) && readFileSync(file, "utf8")).toBe("done\n"));
  });
});

async function linesOf(client: ChildProcess, count: number): Promise<string[]> {
  let text = "";
  for await (const chunk of client.stdout ?? []) {
    text += String(chunk);
    if (text.split("\n").length > count) break;
  }
  return text.split("\n").slice(0, count);
}

async function allOf(client: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of client.stdout ?? []) text += String(chunk);
  return text;
}

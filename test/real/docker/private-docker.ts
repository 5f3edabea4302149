import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A Docker engine and a registry of our own, in temporary folders, ended by their own process numbers. */
export interface PrivateDocker {
  /** Folder with a `docker` command that talks to this engine; put it first in PATH. */
  readonly bin: string;
  /** Model folder on the host. */
  readonly model: string;
  /** The serving image as name@sha256:…: in the registry only. */
  readonly image: string;
  /** An image without `python`, and one without a shell; on the engine only. */
  readonly imageWithoutPython: string;
  readonly emptyImage: string;
  /** `host:port` of the registry. */
  readonly registry: string;
  docker(...argv: string[]): string;
  close(): Promise<void>;
}

/**
 * Starts both and builds the images from this machine's own bash and python3, without any download. Needs root and the
 * packages docker.io and docker-registry. The network is the host's alone, which is what GPU serving uses anyway.
 */
export async function startPrivateDocker(): Promise<PrivateDocker> {
  const folder = mkdtempSync(join(tmpdir(), "docker-"));
  const registry = `127.0.0.1:${await freePort()}`;
  const socket = `unix://${join(folder, "docker.sock")}`;
  const children = [startRegistry(folder, registry), startEngine(folder, socket)];
  const docker = (...argv: string[]) =>
    execFileSync("/usr/bin/docker", argv, {
      env: { ...process.env, DOCKER_HOST: socket },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  await waitFor(() => docker("version"));
  await waitFor(async () => {
    if (!(await fetch(`http://${registry}/v2/`)).ok) throw new Error("The registry is not ready");
  });

  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "docker"), `#!/bin/sh\nDOCKER_HOST=${socket} exec /usr/bin/docker "$@"\n`, { mode: 0o755 });
  const model = join(folder, "models/Llama-3.1-8B");
  mkdirSync(model, { recursive: true });
  writeFileSync(join(model, "config.json"), '{"model_type": "llama"}');

  const importImage = (root: string, name: string) => {
    const tar = execFileSync("tar", ["-C", root, "-c", "."], { maxBuffer: 2 ** 30 });
    execFileSync("/usr/bin/docker", ["import", "-", name], {
      env: { ...process.env, DOCKER_HOST: socket },
      input: tar,
    });
  };
  const root = join(folder, "root");
  mkdirSync(join(root, "tmp"), { recursive: true });
  importImage(root, "empty:1");
  copyProgram("/bin/bash", root);
  importImage(root, "no-python:1");
  installServer(root);
  const tag = `${registry}/ipex-llm-serving-xpu:0.8.3-b19`;
  importImage(root, tag);
  docker("push", "--quiet", tag);
  const image = docker("inspect", "--format", "{{index .RepoDigests 0}}", tag).trim();
  docker("rmi", tag);

  return {
    ...{ bin, model, image, registry, docker, imageWithoutPython: "no-python:1", emptyImage: "empty:1" },
    async close() {
      for (const child of children) await end(child);
      // The engine leaves the mount of its host network behind.
      execFileSync("umount", [join(folder, "exec/netns/default")]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startEngine(folder: string, socket: string): ChildProcess {
  const argv = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "-H", socket];
  const plain = ["--pidfile", join(folder, "pid"), "--iptables=false", "--bridge=none"];
  return spawn("/usr/sbin/dockerd", [...argv, ...plain], { stdio: "ignore" });
}

function startRegistry(folder: string, address: string): ChildProcess {
  const config = join(folder, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nstorage: {filesystem: {rootdirectory: ${join(folder, "registry")}}}\nhttp: {addr: ${address}}\n`,
  );
  return spawn("/usr/bin/docker-registry", ["serve", config], { stdio: "ignore" });
}

/** Python, the module path that the real image has, and the set-up file that it has. */
function installServer(root: string): void {
  const python = execFileSync("/usr/bin/python3", ["-c", "import sys; print(sys.executable)"], {
    encoding: "utf8",
  }).trim();
  const real = execFileSync("readlink", ["-f", python], { encoding: "utf8" }).trim();
  const library = execFileSync(real, ["-c", "import os; print(os.path.dirname(os.__file__))"], {
    encoding: "utf8",
  }).trim();
  copyProgram(real, root);
  cpSync(library, join(root, library), {
    recursive: true,
    filter: (path) =>
      !/\/(__pycache__|test|tests|idlelib|lib2to3|tkinter|ensurepip|(site|dist)-packages|config-[^/]*)$/.test(path),
  });
  symlinkSync(real, join(root, "usr/bin/python"));

  const server = join(root, library, "ipex_llm/vllm/xpu/entrypoints/openai");
  mkdirSync(server, { recursive: true });
  cpSync(join(import.meta.dirname, "api_server.py"), join(server, "api_server.py"));

  mkdirSync(join(root, "opt/intel/1ccl-wks"), { recursive: true });
  writeFileSync(join(root, "opt/intel/1ccl-wks/setvars.sh"), 'export CCL_DG2_ALLREDUCE=1 SETVARS_WORDS="$#"\n');
}

/** Copies a program with the shared libraries it names, each to the same path. */
function copyProgram(path: string, root: string): void {
  const libraries = execFileSync("ldd", [path], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
  for (const file of [path, ...[...libraries].map((match) => match[1] as string)]) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    cpSync(file, join(root, file), { dereference: true });
  }
}

async function waitFor(check: () => unknown): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      return void (await check());
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Whether a process still runs; a zombie does not. */
export function isAlive(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

import { type Container, findContainer, findImage } from "../sim-machine/docker-state.ts";
import { type Call, type CommandResult, failed, ok, splitOptions } from "../sim-machine/stand-in.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { startContainerProcess } from "./container-process.ts";
import { pullImage } from "./docker-images.ts";
import { parseCreate, toContainerSpec } from "./docker-options.ts";
import { renderGoTemplate } from "./go-template.ts";

/** `docker create`. */
export async function createContainer(
  call: Call,
  args: readonly string[],
): Promise<CommandResult | { container: Container; detach: boolean }> {
  const { machine } = call;
  const words = parseCreate(args);
  if ("problem" in words) return failed(125, `docker: ${words.problem}\nSee 'docker run --help'.`);
  let image = findImage(machine.docker, words.image);
  if (!image && words.options.get("pull")?.at(-1) !== "never") {
    const pulled = await pullImage(call, [words.image]);
    if (pulled.exitCode !== 0)
      return failed(125, `Unable to find image '${words.image}' locally\ndocker: ${pulled.stderr}`);
    image = findImage(machine.docker, words.image);
  }
  if (!image) return failed(125, `docker: Error response from daemon: No such image: ${words.image}.`);
  const spec = toContainerSpec(words, image, `sim_${machine.docker.containers.size}`);
  if (machine.docker.containers.has(spec.name)) {
    const id = machine.docker.containers.get(spec.name)?.id;
    return failed(
      125,
      `Error response from daemon: Conflict. The container name "/${spec.name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  }
  const missing = await missingSource(machine, words.options.get("mount") ?? [], spec.mounts);
  if (missing !== null) {
    return failed(
      125,
      `Error response from daemon: invalid mount config for type "bind": bind source path does not exist: ${missing}`,
    );
  }
  const container: Container = {
    ...spec,
    id: [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    createdAt: machine.clock.isoNow(),
    status: "created",
    exitCode: 0,
    oomKilled: false,
    error: "",
    startedAt: "0001-01-01T00:00:00Z",
    finishedAt: "0001-01-01T00:00:00Z",
    pid: 0,
    log: [],
    attached: new Set(),
    process: null,
    ended: Promise.resolve(),
  };
  machine.docker.containers.set(spec.name, container);
  return { container, detach: words.detach };
}

/** Unlike `--volume`, `--mount` refuses a source that does not exist. */
async function missingSource(
  machine: VirtualMachine,
  mounts: readonly string[],
  specs: Container["mounts"],
): Promise<string | null> {
  if (mounts.length === 0) return null;
  for (const { source } of specs) if (!(await machine.disk.exists(source))) return source;
  return null;
}

export async function runContainer(call: Call, args: readonly string[]): Promise<CommandResult> {
  const created = await createContainer(call, args);
  if ("exitCode" in created) return created;
  startContainerProcess(call.machine, created.container);
  return created.detach ? ok(created.container.id) : attach(call, created.container);
}

export async function startContainer(call: Call, args: readonly string[]): Promise<CommandResult> {
  const { options, operands } = splitOptions(args);
  const container = findContainer(call.machine.docker, operands[0] ?? "");
  if (!container) return failed(1, noSuchContainer(operands[0]));
  if (container.status !== "running") startContainerProcess(call.machine, container);
  return options.has("-a") || options.has("--attach") ? attach(call, container) : ok(operands[0]);
}

/** Shows the output until the process ends; what a caller takes line by line is not returned again. */
async function attach({ session }: Call, container: Container): Promise<CommandResult> {
  const lines: string[] = [];
  const take = session.live ?? ((line: string) => lines.push(line));
  container.attached.add(take);
  const gone = new Promise<void>((resolve) =>
    session.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  await Promise.race([container.ended, gone]);
  container.attached.delete(take);
  return { stdout: lines.map((line) => `${line}\n`).join(""), stderr: "", exitCode: container.exitCode };
}

export async function stopContainers({ machine }: Call, args: readonly string[]): Promise<CommandResult> {
  const { operands } = splitOptions(args, ["-t", "--time", "-s", "--signal"]);
  for (const name of operands) {
    const container = findContainer(machine.docker, name);
    if (!container) return failed(1, noSuchContainer(name));
    container.process?.terminate();
    await container.ended;
  }
  return ok(operands.join("\n"));
}

export async function removeContainers({ machine }: Call, args: readonly string[]): Promise<CommandResult> {
  const { options, operands } = splitOptions(args);
  const force = options.has("--force") || [...options.keys()].some((word) => /^-\w*f/.test(word));
  for (const name of operands) {
    const container = findContainer(machine.docker, name);
    if (!container) {
      if (force) continue;
      return failed(1, noSuchContainer(name));
    }
    if (container.status === "running" && !force) {
      return failed(
        1,
        `Error response from daemon: cannot remove container "/${container.name}": container is running: stop the container before removing or force remove`,
      );
    }
    container.process?.terminate();
    await container.ended;
    machine.docker.containers.delete(container.name);
  }
  return ok(operands.join("\n"));
}

export function listContainers({ machine }: Call, args: readonly string[]): CommandResult {
  const { options } = splitOptions(args, ["--format", "-f", "--filter", "-n"]);
  const filter = options.get("--filter") ?? options.get("-f") ?? "";
  const flags = [...options.keys()].filter((word) => /^-\w+$/.test(word)).join("");
  const all = flags.includes("a") || options.has("--all");
  const shown = [...machine.docker.containers.values()].filter(
    (container) => (all || container.status === "running") && matches(container, filter),
  );
  if (flags.includes("q") || options.has("--quiet")) return ok(shown.map(({ id }) => id.slice(0, 12)).join("\n"));
  const format = options.get("--format");
  const fields = ({ id, name, image, status, exitCode }: Container) => ({
    ID: id.slice(0, 12),
    Names: name,
    Image: image.reference,
    State: status,
    Status: status === "running" ? "Up (simulated)" : `Exited (${exitCode})`,
  });
  if (format !== undefined)
    return ok(shown.map((container) => renderGoTemplate(format, fields(container)) ?? "").join("\n"));
  const rows = shown.map(fields).map(({ ID, Image, Status, Names }) => `${ID}   ${Image}   ${Status}   ${Names}`);
  return ok(["CONTAINER ID   IMAGE   STATUS   NAMES", ...rows].join("\n"));
}

function matches(container: Container, filter: string): boolean {
  const [key, value = ""] = filter.split(/=(.*)/s);
  if (key === "name") return container.name.includes(value.replace(/^\^?\/?|\$$/g, ""));
  if (key === "label")
    return value.includes("=")
      ? container.labels[value.split("=")[0] ?? ""] === value.split("=")[1]
      : value in container.labels;
  if (key === "status") return container.status === value;
  return true;
}

/** Both streams of the process go to stderr and stdout alike; the look-alike writes to stdout only. */
export function showLogs({ machine }: Call, args: readonly string[]): CommandResult {
  const { options, operands } = splitOptions(args, ["--tail", "-n", "--since", "--until"]);
  const container = findContainer(machine.docker, operands[0] ?? "");
  if (!container) return failed(1, noSuchContainer(operands[0]));
  const tail = options.get("--tail") ?? options.get("-n") ?? "all";
  const count = tail === "all" ? container.log.length : Number(tail);
  return ok(container.log.slice(Math.max(0, container.log.length - count)).join("\n"));
}

export function noSuchContainer(name: string | undefined): string {
  return `Error response from daemon: No such container: ${name ?? ""}`;
}

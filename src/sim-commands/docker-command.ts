import { findContainer, findImage } from "../sim-machine/docker-state.ts";
import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import {
  createContainer,
  listContainers,
  noSuchContainer,
  removeContainers,
  runContainer,
  showLogs,
  startContainer,
  stopContainers,
} from "./docker-containers.ts";
import { listImages, pullImage, removeImages } from "./docker-images.ts";
import { containerFields, imageFields } from "./docker-inspect.ts";
import { renderGoTemplate } from "./go-template.ts";
import { syclDevices } from "./system-commands.ts";

export const dockerCommands: Readonly<Record<string, StandIn>> = { docker };

const VERSION = "24.0.7";

type Sub = (call: Call, args: readonly string[]) => CommandResult | Promise<CommandResult>;

async function docker(call: Call): Promise<CommandResult> {
  const { args, session, machine } = call;
  const [first = "", ...rest] = args;
  if (first === "--version" || first === "-v") return ok(`Docker version ${VERSION}, build 24.0.7-0ubuntu2~22.04.1`);
  const [name, words] =
    first === "container" || first === "image" ? [`${first} ${rest[0]}`, rest.slice(1)] : [first, rest];
  const sub = SUBCOMMANDS[name];
  if (!sub) return failed(1, `docker: '${name}' is not a docker command.\nSee 'docker --help'`);
  if (machine.units.get("docker.service")?.active !== "active") {
    return failed(
      1,
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    );
  }
  if (session.uid !== 0 && !session.groups.includes("docker")) {
    return failed(
      1,
      "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied",
    );
  }
  return sub(call, words);
}

const SUBCOMMANDS: Readonly<Record<string, Sub>> = {
  info: (_, args) =>
    formatted(args, {
      ServerVersion: VERSION,
      OperatingSystem: "Ubuntu 22.04.5 LTS",
      CgroupDriver: "systemd",
      Driver: "overlay2",
    }),
  version: (_, args) =>
    formatted(args, { Client: { Version: VERSION }, Server: { Version: VERSION, Os: "linux", Arch: "amd64" } }),
  pull: pullImage,
  images: listImages,
  "image ls": listImages,
  "image inspect": (call, args) =>
    inspectAll(args, (name) => findImage(call.machine.docker, name), imageFields, "No such image"),
  "image rm": removeImages,
  rmi: removeImages,
  create: async (call, args) => {
    const created = await createContainer(call, args);
    return "exitCode" in created ? created : ok(created.container.id);
  },
  run: runContainer,
  start: startContainer,
  stop: stopContainers,
  "container stop": stopContainers,
  kill: stopContainers,
  rm: removeContainers,
  "container rm": removeContainers,
  ps: listContainers,
  "container ls": listContainers,
  logs: showLogs,
  "container logs": showLogs,
  inspect,
  "container inspect": (call, args) =>
    inspectAll(args, (name) => findContainer(call.machine.docker, name), containerFields, "No such container"),
  wait: async ({ machine }, args) => {
    const container = findContainer(machine.docker, args[0] ?? "");
    if (!container) return failed(1, noSuchContainer(args[0]));
    await container.ended;
    return ok(String(container.exitCode));
  },
  exec: ({ machine }, args) => {
    const { operands } = splitOptions(args, ["-e", "-u", "-w"]);
    if (findContainer(machine.docker, operands[0] ?? "")?.status !== "running")
      return failed(1, noSuchContainer(operands[0]));
    return operands[1] === "sycl-ls" ? ok(syclDevices(machine)) : ok();
  },
};

function inspect(call: Call, args: readonly string[]): CommandResult {
  const asContainer = inspectAll(
    args,
    (name) => findContainer(call.machine.docker, name),
    containerFields,
    "No such object",
  );
  return asContainer.exitCode === 0
    ? asContainer
    : inspectAll(args, (name) => findImage(call.machine.docker, name), imageFields, "No such object");
}

function inspectAll<T>(
  args: readonly string[],
  find: (name: string) => T | null,
  fields: (item: T) => unknown,
  missing: string,
): CommandResult {
  const { options, operands } = splitOptions(args, ["-f", "--format"]);
  const format = options.get("-f") ?? options.get("--format");
  const items = operands.map((name) => find(name));
  const absent = operands.find((_, at) => items[at] === null);
  if (absent !== undefined)
    return failed(1, `Error response from daemon: ${missing}: ${absent}`, format === undefined ? "[]" : "");
  const data = items.filter((item) => item !== null).map(fields);
  if (format === undefined) return ok(JSON.stringify(data, null, 4));
  const texts = data.map((item) => renderGoTemplate(format, item));
  if (texts.includes(null)) return failed(1, `template parsing error: template: :1: no such field in ${format}`);
  return ok(texts.join("\n"));
}

function formatted(args: readonly string[], data: Record<string, unknown>): CommandResult {
  const { options } = splitOptions(args, ["-f", "--format"]);
  const format = options.get("-f") ?? options.get("--format");
  if (format === undefined)
    return ok(
      Object.entries(data)
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
        .join("\n"),
    );
  const text = renderGoTemplate(format, data);
  return text === null ? failed(1, `template: :1: no such field in ${format}`) : ok(text);
}

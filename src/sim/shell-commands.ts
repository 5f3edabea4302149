import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "./stand-in.ts";

/** What the interpreter lacks of bash and coreutils. `exitTraps` collects what `trap … EXIT` asked for. */
export function shellCommands(exitTraps: string[]): Readonly<Record<string, StandIn>> {
  return {
    trap: ({ args }) => trap(args, exitTraps),
    umask: () => ok(),
    ulimit: () => ok("1024"),
    mktemp,
    install,
    realpath: (call) => canonicalPaths(call),
    readlink: (call) =>
      call.args.some((word) => /^-[efm]$/.test(word)) ? canonicalPaths(call) : call.builtIn(call.args),
    flock,
    nohup: (call) => call.run(call.args, { stdin: call.stdin }),
    setsid: (call) =>
      call.run(
        call.args.filter((word, at) => at > 0 || !word.startsWith("-")),
        { stdin: call.stdin },
      ),
    nice: (call) => call.run(dropOption(call.args, "-n"), { stdin: call.stdin }),
    ionice: (call) => call.run(dropOption(call.args, "-c"), { stdin: call.stdin }),
    kill: () => failed(1, "bash: kill: No such process"),
    sync: () => ok(),
    chown: () => ok(),
    chgrp: () => ok(),
    logger: () => ok(),
    cmp,
    find,
    stat,
  };
}

function trap(args: readonly string[], exitTraps: string[]): CommandResult {
  const [handler = "-", ...signals] = args;
  if (!signals.some((signal) => signal === "EXIT" || signal === "0")) return ok();
  exitTraps.length = 0;
  if (handler !== "-" && handler !== "") exitTraps.push(handler);
  return ok();
}

/** The interpreter's own follows only the last link of a path. */
async function canonicalPaths({ args, machine, cwd }: Call): Promise<CommandResult> {
  const paths = args.filter((word) => !word.startsWith("-")).map((path) => machine.disk.resolvePath(cwd, path));
  const real = await Promise.all(
    paths.map(async (path) => {
      const parent = path.slice(0, path.lastIndexOf("/")) || "/";
      if (await machine.disk.exists(path)) return machine.disk.realpath(path);
      return (await machine.disk.exists(parent))
        ? `${await machine.disk.realpath(parent)}${path.slice(parent.length)}`
        : null;
    }),
  );
  return real.includes(null) ? failed(1) : ok(real.join("\n"));
}

async function mktemp({ args, machine }: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(args, ["-p", "--tmpdir"]);
  const folder = options.get("-p") || options.get("--tmpdir") || "/tmp";
  const template = operands[0] ?? "tmp.XXXXXXXXXX";
  const letters = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => (byte % 36).toString(36)).join("");
  const name = template.replace(/X{3,}/, (run) => letters.slice(0, run.length));
  const path = name.startsWith("/") ? name : `${folder}/${name}`;
  if (options.has("-d") || options.has("--directory")) await machine.disk.mkdir(path, { recursive: true });
  else machine.disk.addFile(path, "", { mode: 0o600 });
  return ok(path);
}

async function install(call: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(call.args, ["-m", "--mode", "-o", "-g"]);
  const mode = Number.parseInt(options.get("-m") ?? options.get("--mode") ?? "755", 8);
  const flags = [...options.keys()].join("");
  if (flags.includes("d")) return call.run(["mkdir", "-p", ...operands]);
  const [from = "", to = ""] = operands;
  const parent = to.slice(0, to.lastIndexOf("/"));
  if (flags.includes("D")) await call.run(["mkdir", "-p", parent]);
  const copied =
    from === "/dev/stdin" ? await call.run(["tee", to], { stdin: call.stdin }) : await call.run(["cp", from, to]);
  if (copied.exitCode !== 0) return failed(1, copied.stderr.replace(/^\w+:/, "install:"));
  await call.machine.disk.chmod(to, mode);
  return ok();
}

/** Nobody else runs on the virtual host at the same time, so every lock is free. */
async function flock(call: Call): Promise<CommandResult> {
  const { operands } = splitOptions(
    call.args.filter((word) => word !== "-c"),
    ["-w", "-E", "--timeout", "--conflict-exit-code"],
  );
  const argv = operands.slice(1);
  if (argv.length === 0) return ok();
  return call.args.includes("-c")
    ? call.run(["bash", "-c", argv.join(" ")], { stdin: call.stdin })
    : call.run(argv, { stdin: call.stdin });
}

async function cmp({ args, machine }: Call): Promise<CommandResult> {
  const [left = "", right = ""] = splitOptions(args).operands;
  const texts = await Promise.all([left, right].map((path) => machine.disk.readText(path)));
  const missing = [left, right].find((_, at) => texts[at] === null);
  if (missing !== undefined) return failed(2, `cmp: ${missing}: No such file or directory`);
  return texts[0] === texts[1] ? ok() : failed(1, "", `${left} ${right} differ: byte 1, line 1`);
}

/** No process of the virtual host has the descriptors that `-lname` would look for. */
function find(call: Call): CommandResult | Promise<CommandResult> {
  return call.args.includes("-lname") ? ok() : call.builtIn(call.args);
}

/** The interpreter's stat knows no -L; it follows links already. */
function stat(call: Call): Promise<CommandResult> {
  return call.builtIn(call.args.flatMap((word) => (word === "-L" ? [] : [word.replace(/^-Lc$/, "-c")])));
}

function dropOption(args: readonly string[], option: string): readonly string[] {
  if (args[0] === option) return args.slice(2);
  return args[0]?.startsWith("-") ? args.slice(1) : args;
}

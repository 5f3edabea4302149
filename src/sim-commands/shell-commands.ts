import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";

/** What `trap … EXIT` asked for, with the variables of that moment: those of the end are lost at an `exit`. */
export interface ExitTrap {
  readonly handler: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** What the interpreter lacks of bash and coreutils. `exitTraps` collects the trap of the script, if it sets one. */
export function shellCommands(exitTraps: ExitTrap[]): Readonly<Record<string, StandIn>> {
  return {
    trap: (call) => trap(call, exitTraps),
    env: withEnvironment,
    "arc-say": say,
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

/** `echo` of a script that ends only when it is told to: what it says must be heard before. */
function say({ args, session }: Call): CommandResult {
  if (session.speak === null) return ok(args.join(" "));
  session.speak(args.join(" "));
  return ok();
}

function trap({ args, variables }: Call, exitTraps: ExitTrap[]): CommandResult {
  const [handler = "-", ...signals] = args;
  if (!signals.some((signal) => signal === "EXIT" || signal === "0")) return ok();
  exitTraps.length = 0;
  if (handler !== "-" && handler !== "") exitTraps.push({ handler, variables: Object.fromEntries(variables) });
  return ok();
}

/** The interpreter's own does not hand variables on to another shell. */
function withEnvironment(call: Call): CommandResult | Promise<CommandResult> {
  const { operands } = splitOptions(call.args, ["-u", "--unset", "-C"]);
  const split = operands.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const assignments = split < 0 ? operands : operands.slice(0, split);
  const argv = split < 0 ? [] : call.args.slice(call.args.indexOf(operands[split] as string));
  const added = Object.fromEntries(
    assignments.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
  );
  const kept = call.args.some((word) => word === "-i" || word === "-") ? {} : call.env;
  const unset = call.args.filter((_, at) => call.args[at - 1] === "-u");
  const env = Object.fromEntries(Object.entries({ ...kept, ...added }).filter(([name]) => !unset.includes(name)));
  if (argv.length === 0)
    return ok(
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .join("\n"),
    );
  return call.run(argv, { env, stdin: call.stdin });
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

/** Locks on files: of a descriptor until the script ends, or of a path while a command runs. */
async function flock(call: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(call.args, ["-w", "-E", "--timeout", "--conflict-exit-code", "-c"]);
  const [target = "", ...argv] = operands;
  const { locks } = call.machine;
  const path = /^\d+$/.test(target) ? (call.descriptors.get(Number(target)) ?? "") : target;
  const busy = Number(options.get("-E") ?? options.get("--conflict-exit-code") ?? 1);
  if (path === "") return failed(65, `flock: ${target}: Bad file descriptor`);
  if (options.has("-u")) {
    locks.delete(path);
    return ok();
  }
  const patience =
    options.has("-n") || options.has("--nonblock") ? 0 : Number(options.get("-w") ?? options.get("--timeout") ?? 3600);
  if (!(await isFree(call, path, patience))) return failed(busy);
  if (/^\d+$/.test(target)) {
    locks.set(path, call.script);
    return ok();
  }
  const command = options.get("-c");
  locks.set(path, {});
  const result = await call.run(command === undefined ? argv : ["bash", "-c", command], { stdin: call.stdin });
  locks.delete(path);
  return result;
}

async function isFree({ machine, session }: Call, path: string, seconds: number): Promise<boolean> {
  for (let left = seconds; machine.locks.has(path); left -= 1) {
    if (left <= 0 || session.signal.aborted) return false;
    await machine.pause(1_000, session.signal);
  }
  return true;
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

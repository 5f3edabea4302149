import { Bash, type CommandName, decodeBytesToUtf8, defineCommand, getCommandNames, parse, serialize } from "just-bash";
import { quotePosix } from "../core/quote-posix.ts";
import { commandTable, isCommandPresent } from "../sim-commands/command-table.ts";
import type { ExitTrap } from "../sim-commands/shell-commands.ts";
import type { Call, CommandResult, RunAs, Session, StandIn } from "../sim-machine/stand-in.ts";
import { nextPid } from "../sim-machine/virtual-machine.ts";

/** Interpreter commands that a fresh Ubuntu 22.04 server does not have. */
const NOT_ON_UBUNTU = ["rg", "jq", "yq", "xan", "sqlite3", "html-to-markdown", "tree", "history", "help"];

/** The interpreter knows its commands under /usr/bin and /bin only, so these come before the folders that link there. */
const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

export interface RunScriptOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Runs a bash script on the virtual host as the session's user. Never rejects. */
export async function runScript(
  session: Session,
  text: string,
  options: RunScriptOptions = {},
): Promise<CommandResult> {
  const { machine } = session;
  const exitTraps: ExitTrap[] = [];
  const script: ScriptRun = { session, pid: nextPid(machine), table: commandTable(exitTraps) };
  const bash = openBash(script, options.env ?? {}, isEndless(text));
  const learn = (name: string) => {
    const standIn = script.table[name];
    if (standIn) bash.registerCommand(adapt(name, standIn, script));
  };
  machine.disk.onProgram.add(learn);
  machine.disk.addFile(`/proc/${script.pid}/comm`, "bash\n");
  const result = await execute(bash, session, audible(text), options.stdin ?? "");
  const [trap] = exitTraps;
  const ending = trap === undefined || session.signal.aborted ? null : await runTrap(bash, session, text, trap, result);
  machine.disk.onProgram.delete(learn);
  for (const [path, holder] of machine.locks) if (holder === script) machine.locks.delete(path);
  await machine.disk.rm(`/proc/${script.pid}`, { recursive: true, force: true });
  return {
    stdout: result.stdout + (ending?.stdout ?? ""),
    stderr: result.stderr + (ending?.stderr ?? "") + refusedWrites(session),
    exitCode: result.exitCode,
  };
}

/** Runs one command line given as words. */
export function runArgv(
  session: Session,
  argv: readonly string[],
  options: RunScriptOptions = {},
): Promise<CommandResult> {
  return runScript(session, argv.map(quotePosix).join(" "), options);
}

/** One script while it runs. */
interface ScriptRun {
  readonly session: Session;
  readonly pid: number;
  readonly table: Readonly<Record<string, StandIn>>;
}

/** An endless script keeps our time: what it waits for between two looks is what we do meanwhile. */
function openBash(script: ScriptRun, env: Readonly<Record<string, string>>, endless: boolean): Bash {
  const { session, pid } = script;
  const home = session.uid === 0 ? "/root" : `/home/${session.user}`;
  const present = Object.entries(script.table).filter(([name]) => isCommandPresent(session.machine, name));
  return new Bash({
    fs: sessionFiles(session),
    cwd: home,
    env: { PATH, HOME: home, USER: session.user, LOGNAME: session.user, SHELL: "/bin/bash", LANG: "C.UTF-8", ...env },
    commands: getCommandNames().filter((name) => !NOT_ON_UBUNTU.includes(name)) as CommandName[],
    customCommands: present.map(([name, standIn]) => adapt(name, standIn, script)),
    // It patches globals of the whole process, which others measure with at the same time.
    defenseInDepth: false,
    executionLimits: {
      maxExecutionTimeMs: Number.POSITIVE_INFINITY,
      maxCommandCount: 1_000_000,
      maxLoopIterations: 1_000_000,
    },
    async sleep(ms) {
      if (endless) await session.machine.clock.sleep(ms, session.signal);
      else await session.machine.pause(ms, session.signal);
      // A loop around a sleep of no time would keep everything else in this process from running.
      await new Promise((resolve) => setImmediate(resolve));
    },
    processInfo: { uid: session.uid, gid: session.uid, pid, ppid: 1 },
  });
}

/**
 * The interpreter gives its output at the end. A script that ends in an endless loop has no end, so what it echoes
 * before is made to be heard at once.
 */
function audible(text: string): string {
  return isEndless(text) ? text.replace(/^echo /gm, "arc-say ") : text;
}

function isEndless(text: string): boolean {
  return /^while (:|true); do\b.*\bdone\s*$/m.test(text);
}

function runTrap(
  bash: Bash,
  session: Session,
  text: string,
  { handler, variables }: ExitTrap,
  { env = {} }: { readonly env?: Readonly<Record<string, string>> },
): Promise<CommandResult> {
  return execute(bash, session, `${functionsOf(text)}\n${handler}`, "", { ...variables, ...env });
}

async function execute(
  bash: Bash,
  session: Session,
  text: string,
  stdin: string,
  env?: Record<string, string>,
): Promise<CommandResult & { env?: Record<string, string> }> {
  try {
    return await bash.exec(text, { rawScript: true, stdin, signal: session.signal, ...(env ? { env } : {}) });
  } catch (error) {
    // A write that the file system refuses ends the interpreter, as `set -e` would.
    const message = (error instanceof Error ? error.message : String(error)).replace(
      /^EACCES: permission denied, \w+ '(.*)'$/,
      "$1: Permission denied",
    );
    return { stdout: "", stderr: `bash: ${message}\n`, exitCode: 1 };
  }
}

/** Values that the kernel refused to take from a redirection. */
function refusedWrites(session: Session): string {
  const refused = session.machine.disk.refusals.splice(0);
  return refused.map(() => "bash: echo: write error: Invalid argument\n").join("");
}

function adapt(name: string, standIn: StandIn, script: ScriptRun) {
  const { session } = script;
  return defineCommand(name, async (args, ctx) => {
    const inherited = ctx.exportedEnv ?? {};
    const call: Call = {
      args,
      stdin: decodeBytesToUtf8(ctx.stdin),
      env: inherited,
      variables: ctx.env,
      cwd: ctx.cwd,
      descriptors: openFiles(ctx.fileDescriptors),
      script,
      session,
      machine: session.machine,
      run: (argv, as: Partial<RunAs> = {}) =>
        runArgv(as.session ?? session, argv, { env: as.env ?? inherited, stdin: as.stdin ?? "" }),
      builtIn: async (words) => (await ctx.origCommand?.([...words])) ?? { stdout: "", stderr: "", exitCode: 127 },
    };
    return standIn(call);
  });
}

/** The interpreter keeps a descriptor of a file as a word with the path behind a colon. */
function openFiles(descriptors: ReadonlyMap<number, string> | undefined): ReadonlyMap<number, string> {
  const paths = [...(descriptors ?? [])].flatMap(([descriptor, word]): [number, string][] => {
    const path = /^__file\w*__:(.*)$/s.exec(word)?.[1];
    return path === undefined ? [] : [[descriptor, path]];
  });
  return new Map(paths);
}

/** Functions of a script, so that an EXIT trap can call them after the script has ended. */
function functionsOf(text: string): string {
  try {
    const script = parse(text);
    const isFunction = ({ pipelines }: (typeof script.statements)[number]) =>
      pipelines.some(({ commands }) => commands.some(({ type }) => type === "FunctionDef"));
    return serialize({ ...script, statements: script.statements.filter(isFunction) });
  } catch {
    return "";
  }
}

/**
 * The disk as one user may change it. Hides the directory listing with types, because globs of the interpreter do not
 * follow links in it, and keeps the interpreter from creating programs that no package has installed.
 */
function sessionFiles(session: Session): Session["machine"]["disk"] {
  const { disk } = session.machine;
  return new Proxy(disk, {
    get(target, key) {
      if (key === "readdirWithFileTypes") return undefined;
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      if (key === "writeFileSync") return (path: string) => writeProgram(session, path);
      const bound = member.bind(target) as (...args: unknown[]) => unknown;
      if (session.uid === 0 || !CHANGES.has(String(key))) return bound;
      return async (...args: unknown[]) => {
        const path = String(key === "cp" || key === "mv" || key === "symlink" || key === "link" ? args[1] : args[0]);
        if (!mayWrite(session.user, path)) throw new Error(`EACCES: permission denied, open '${path}'`);
        return bound(...args);
      };
    },
  });
}

const CHANGES = new Set(["writeFile", "appendFile", "mkdir", "rm", "cp", "mv", "chmod", "symlink", "link", "utimes"]);

function mayWrite(user: string, path: string): boolean {
  return [`/home/${user}`, "/tmp", "/var/tmp", "/dev"].some((root) => path === root || path.startsWith(`${root}/`));
}

/** What the interpreter's constructor writes: its own kernel files (not wanted) and one program per command. */
function writeProgram({ machine }: Session, path: string): void {
  const name = /^\/(?:usr\/)?bin\/([^/]+)$/.exec(path)?.[1];
  if (name !== undefined && isCommandPresent(machine, name)) machine.disk.addProgram(name);
}

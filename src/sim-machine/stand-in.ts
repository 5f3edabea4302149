import type { VirtualMachine } from "./virtual-machine.ts";

/** Who runs a command, and over which connection. */
export interface Session {
  readonly machine: VirtualMachine;
  readonly user: string;
  readonly uid: number;
  /** Groups as of the login: a membership that was added later does not count here. */
  readonly groups: readonly string[];
  /** Ends the session's commands: the connection broke, or the power went. */
  readonly signal: AbortSignal;
  /** Takes output of a long-running command while it runs; null: it is returned at the end. */
  readonly live: ((line: string) => void) | null;
  /** Takes what a script says that never ends by itself (see `arc-say`); null: it is heard at the end. */
  readonly speak: ((line: string) => void) | null;
}

/** One invocation of a stand-in command. */
export interface Call {
  readonly args: readonly string[];
  readonly stdin: string;
  /** Exported variables only. */
  readonly env: Readonly<Record<string, string>>;
  /** Every variable of the shell, exported or not. */
  readonly variables: ReadonlyMap<string, string>;
  readonly cwd: string;
  /** Files behind the descriptors that the script has opened. */
  readonly descriptors: ReadonlyMap<number, string>;
  /** The same for all commands of one script: locks belong to it. */
  readonly script: object;
  readonly session: Session;
  readonly machine: VirtualMachine;
  /** Runs another command line of the host and gives what it printed. */
  readonly run: (argv: readonly string[], as?: Partial<RunAs>) => Promise<CommandResult>;
  /** The interpreter's own command of this name, where it has one. */
  readonly builtIn: (args: readonly string[]) => Promise<CommandResult>;
}

export interface RunAs {
  readonly session: Session;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export type StandIn = (call: Call) => CommandResult | Promise<CommandResult>;

export function ok(stdout = ""): CommandResult {
  return { stdout: withNewline(stdout), stderr: "", exitCode: 0 };
}

export function failed(exitCode: number, stderr = "", stdout = ""): CommandResult {
  return { stdout: withNewline(stdout), stderr: withNewline(stderr), exitCode };
}

/** Words that begin with a dash, and the others. Options in `withValue` take the next word. */
export function splitOptions(args: readonly string[], withValue: readonly string[] = []) {
  const options = new Map<string, string>();
  const operands: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    if (word === "--") {
      operands.push(...args.slice(at + 1));
      break;
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    if (equals > 0) options.set(word.slice(0, equals), word.slice(equals + 1));
    else if (withValue.includes(word)) {
      at += 1;
      options.set(word, args[at] ?? "");
    } else if (word.startsWith("-") && word !== "-") options.set(word, "");
    else operands.push(word);
  }
  return { options, operands };
}

function withNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

import { AppError } from "./app-error.ts";
import { quotePosix } from "./quote-posix.ts";

export interface Bootstrap {
  /** Become root through `sudo -n`, unless the login is root already. */
  readonly sudo: boolean;
  /** See `RunOptions.onDisconnect`. */
  readonly onDisconnect: "kill" | "finish";
}

/**
 * The first line that the host prints to stdout and to stderr once it holds the whole frame, just before the script.
 * What comes before it is noise of the login shell; a stream that ends without it means that no script ever ran.
 */
export const START_LINE = "[arc-vllm script starts]";

/** How often the client sends a newline after the frame, so that the host notices a peer that vanished without a word. */
export const HEARTBEAT_MS = 20_000;

/** How long the host waits at most between TERM and KILL when it ends a script, and at least one second less. */
export const KILL_GRACE_MS = 3_000;

/**
 * The command that a host is asked to run: one of four fixed strings, whatever the script. It starts a bash that reads
 * one frame from stdin and runs it with stdin closed. With "kill", stdin must stay open: its end, or 90 s without a
 * heartbeat, ends the script's whole session on the host.
 */
export function bootstrapCommand({ sudo, onDisconnect }: Bootstrap): string {
  const script = [READ_FRAME, onDisconnect === "kill" ? WATCH_STDIN : DETACH, RUN].join(" ");
  const outer = [onDisconnect === "finish" ? RELAY_OUTPUT : "", sudo ? BECOME_ROOT : "", `exec ${BASH} "$1" arc-vllm`];
  // `env` and not the shell's own words, so that every login shell (dash, zsh, fish, csh) reads the line alike.
  return `exec env -u BASH_ENV -u ENV ${BASH} ${quotePosix(outer.filter(Boolean).join(" "))} arc-vllm ${quotePosix(script)}`;
}

/** Tells which of the four bootstrap commands this is; null when it is another command. For the embedded host. */
export function parseBootstrapCommand(command: string): Bootstrap | null {
  for (const sudo of [false, true]) {
    for (const onDisconnect of ["kill", "finish"] as const) {
      if (command === bootstrapCommand({ sudo, onDisconnect })) return { sudo, onDisconnect };
    }
  }
  return null;
}

/**
 * The bytes for the host's stdin: the length of the body in bytes, a newline, then the body, which exports `env` and
 * goes on with the text. Values are plain strings here: revealing a secret is the adapter's business.
 */
export function frameScript(text: string, env: Readonly<Record<string, string>>): Uint8Array {
  const exports = Object.entries(env).map(([name, value]) => exportLine(name, value));
  const body = new TextEncoder().encode(`${exports.join("")}${withoutNul("a script", text)}\n`);
  const header = new TextEncoder().encode(`${body.length}\n`);
  const frame = new Uint8Array(header.length + body.length);
  frame.set(header);
  frame.set(body, header.length);
  return frame;
}

/** The body of a frame; null while it is not complete. What follows the frame (heartbeats) is ignored. */
export function parseFrame(stdin: string | Uint8Array): { body: string } | null {
  const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  const newline = bytes.indexOf(0x0a);
  if (newline < 1) return null;
  const length = Number(new TextDecoder().decode(bytes.subarray(0, newline)));
  const body = bytes.subarray(newline + 1, newline + 1 + length);
  return body.length === length ? { body: new TextDecoder("utf-8", { ignoreBOM: true }).decode(body) } : null;
}

const BASH = "bash --noprofile --norc -c";

/** Linux refuses to start a program with a longer environment string (MAX_ARG_STRLEN, include/uapi/linux/binfmts.h). */
const MAX_ENV_BYTES = 131_071;

// No single quote, backslash or newline in what follows: it stands inside one quoted word of an unknown login shell.

const BECOME_ROOT = `if ((EUID)); then exec sudo -n -- ${BASH} "$1" arc-vllm; fi;`;

/** A script that must finish writes to pipes that never break: after the client is gone, they drain into nothing. */
const RELAY_OUTPUT = [
  'exec 3>&1 4>&2 > >(trap "" HUP PIPE; exec >&3 3>&- 4>&- 2>/dev/null; cat; exec cat >/dev/null)',
  '2> >(trap "" HUP PIPE; exec >&4 3>&- 4>&- 2>/dev/null; cat; exec cat >/dev/null);',
  "exec 3>&- 4>&-;",
].join(" ");

/** In the C locale -N counts bytes, and bash takes no byte more than asked, so that the rest stays for the watchdog. */
const READ_FRAME = [
  'export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin";',
  `IFS= read -r arc_n; IFS= read -r -N "$arc_n" arc_body; [ "\${#arc_body}" = "$arc_n" ] || exit 125;`,
].join(" ");

const DETACH = 'trap "" HUP; exec </dev/null;';

/**
 * A grandchild, so that the script's own `wait` and `jobs` do not see it. It strikes the whole session and not the group,
 * because coreutils timeout moves its command to a new group; but only a session that is surely ours: one led by the
 * script, by its sudo, or by what sshd started. It does nothing when the script has ended already.
 */
const WATCH_STDIN = [
  "exec 3<&0 </dev/null;",
  "( ( trap - EXIT; trap : HUP INT TERM; exec >/dev/null 2>&1; me=$BASHPID;",
  'read -r _ _ _ parent _ session _ <"/proc/$$/stat"; read -r leader <"/proc/$session/comm";',
  `IFS= read -r line <"/proc/$session/stat"; set -- \${line##*) }; read -r server <"/proc/$2/comm";`,
  "case $session.$parent.$leader.$server in",
  '$$.* | "$parent.$parent.sudo."* | *.sshd*) ;; *) session=none;; esac;',
  'while IFS= read -r -t 90 _ <&3; do :; done; [ -e "/proc/$$" ] || exit;',
  "strike() { pids=; for stat in /proc/[0-9]*/stat; do",
  `IFS= read -r line <"$stat" || continue; pid=\${line%% *}; set -- "$1" \${line##*) };`,
  '[ "$5" = "$session" ] || [ "$pid" = "$$" ] || [ "$3" = "$$" ] || continue;',
  '[ "$2" = Z ] || [ "$pid" = "$me" ] || [ "$3" = "$me" ] && continue;',
  'pids="$pids $pid"; done; kill -s "$1" $pids; };',
  // By the clock and not by rounds: on a busy host one round takes long.
  `strike TERM; SECONDS=0; while ((SECONDS < ${KILL_GRACE_MS / 1000})); do sleep 0.1; strike 0 || exit; done; strike KILL ) & );`,
  "exec 3<&-;",
].join(" ");

const RUN = [`echo "${START_LINE}"; echo "${START_LINE}" >&2;`, 'eval "unset -v arc_n arc_body; $arc_body"'].join(" ");

function exportLine(name: string, value: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new AppError("INPUT_INVALID", {
      message: `Cannot set environment variable "${name}": it is no name for a shell, letters, digits and _ are wanted`,
      hint: "Rename the variable",
    });
  }
  const bytes = new TextEncoder().encode(withoutNul(`environment variable "${name}"`, value)).length;
  if (name.length + bytes + 2 > MAX_ENV_BYTES) {
    throw new AppError("INPUT_INVALID", {
      message: `Cannot set environment variable "${name}": it has ${bytes} bytes, a host accepts at most ${MAX_ENV_BYTES}`,
      hint: "Shorten the value, or split it over several variables",
    });
  }
  return `export ${name}=${quotePosix(value)}\n`;
}

function withoutNul(what: string, value: string): string {
  if (!value.includes("\0")) return value;
  throw new AppError("INPUT_INVALID", {
    message: `Cannot send ${what} to a host: it holds a NUL byte, text is wanted`,
    hint: "Remove the NUL byte",
  });
}

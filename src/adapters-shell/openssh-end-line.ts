import { type Readable, Transform } from "node:stream";
import type { ProcessEnd } from "./run-script.ts";

/**
 * Text for bash that runs the bootstrap in "$1" and then says on stderr how it ended: the ssh client exits with 255 both
 * for a lost connection and for a script that did, and has no word for a signal. Bash's own remark on a signal is thrown
 * away; dash would print it all the same.
 */
export const REPORT_END = `{ sh -c "$1" 2>&3 3>&-; } 3>&2 2>/dev/null; echo "[arc-vllm script ended $?]" >&2`;

export interface ReportedEnd {
  /** The stream without the line. */
  readonly stderr: Readable;
  /** Never resolves when the line does not come. */
  readonly reported: Promise<ProcessEnd>;
  readonly drained: Promise<unknown>;
}

/** Takes the end line out of a stream, wherever it stands and is cut, and lets the rest through at once. */
export function withoutEndLine(source: Readable): ReportedEnd {
  let report: (end: ProcessEnd) => void = () => {};
  const reported = new Promise<ProcessEnd>((resolve) => {
    report = resolve;
  });
  // In latin1, one character is one byte.
  let held = "";
  const stderr = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = (held + chunk.toString("latin1")).replace(END_LINE, (_line, status: string) => {
        report(endOf(Number(status)));
        return "";
      });
      const bracket = text.lastIndexOf("[");
      const cut = bracket !== -1 && isStartOfEndLine(text.slice(bracket)) ? bracket : text.length;
      held = text.slice(cut);
      done(null, Buffer.from(text.slice(0, cut), "latin1"));
    },
    flush: (done) => done(null, Buffer.from(held, "latin1")),
  });
  source.pipe(stderr);
  return { stderr, reported, drained: new Promise((resolve) => stderr.once("end", resolve)) };
}

const END_LINE = /\[arc-vllm script ended (\d{1,3})\]\n/;

function isStartOfEndLine(text: string): boolean {
  return "[arc-vllm script ended ".startsWith(text) || /^\[arc-vllm script ended \d{0,3}\]?$/.test(text);
}

/** A shell's exit status of 128 + n: ended by signal n, as far as anyone can tell. */
function endOf(status: number): ProcessEnd {
  const signal = SIGNALS[status - 128];
  return signal === undefined ? { ended: "exited", exitCode: status } : { ended: "signalled", signal };
}

/** Numbers of x86-64 and arm64 Linux, of the signals that end a script in practice. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

import * as actionsCore from "@actions/core";
import { createRedactor, type Redactor, spellingsOf } from "../core/redact.ts";
import type { Secret } from "../core/secret.ts";
import type { Console } from "../ports/console.ts";
import { pacedLine } from "./paced-line.ts";
import { printableLines } from "./printable.ts";

/** What of @actions/core this console uses. */
export type ActionsLog = Pick<
  typeof actionsCore,
  "info" | "warning" | "error" | "startGroup" | "endGroup" | "setSecret"
>;

export interface ActionsConsole extends Console {
  /** Hides a secret in what we print and, through the runner, in what anything prints. */
  hideSecret(secret: Secret): void;
  /** Closes an open group and says in one annotation how many warnings and errors only the log has. */
  finish(): void;
}

export interface ActionsConsoleOptions {
  readonly redactor?: Redactor;
  readonly core?: ActionsLog;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
}

/** The log of a GitHub job: foldable groups, and annotations within what GitHub shows of them. */
export function actionsConsole({
  redactor = createRedactor(),
  core = actionsCore,
  nowMs = () => performance.now(),
}: ActionsConsoleOptions = {}): ActionsConsole {
  const clean = (text: string) => printableLines(redactor.clean(text), true).map(withoutCommand).join("\n");
  const print = (text: string) => core.info(clean(text));
  const warnings = budget((text) => core.warning(text, TITLE));
  const errors = budget((text) => core.error(text, TITLE));
  let isGroupOpen = false;

  const endGroup = () => {
    if (isGroupOpen) core.endGroup();
    isGroupOpen = false;
  };

  return {
    info: print,
    // An annotation is one command with its line breaks escaped: nothing in it can be a command of its own.
    warn: (text) => warnings.annotate(cut(redactor.clean(text))) || print(`warning: ${text}`),
    error: (text) => errors.annotate(cut(redactor.clean(text))) || print(`error: ${text}`),
    group(title) {
      endGroup();
      core.startGroup(clean(title).replaceAll("\n", " "));
      isGroupOpen = true;
    },
    endGroup,
    progress: pacedLine(print, nowMs),
    hideSecret(secret) {
      redactor.hide(secret);
      for (const spelling of spellingsOf(secret.reveal())) core.setSecret(spelling);
    },
    finish() {
      endGroup();
      warnings.tellRest("warnings");
      errors.tellRest("errors");
    },
  };
}

const TITLE = { title: "arc-vllm" };

/** GitHub shows 10 annotations of a kind per step and drops the others without a word. One is kept for the count. */
const MOST_ANNOTATIONS = 9;

/** The runner cuts messages at 4096 characters (actions/runner ExecutionContext.cs). */
const LONGEST_ANNOTATION = 4096;

function budget(send: (text: string) => void) {
  let count = 0;
  return {
    /** False when the budget is spent and the text was not sent. */
    annotate(text: string): boolean {
      count += 1;
      if (count > MOST_ANNOTATIONS) return false;
      send(text);
      return true;
    },
    tellRest(kind: string) {
      if (count > MOST_ANNOTATIONS) send(`and ${count - MOST_ANNOTATIONS} more ${kind}, see the log`);
    },
  };
}

function cut(text: string): string {
  return text.length <= LONGEST_ANNOTATION ? text : `${text.slice(0, LONGEST_ANNOTATION - 1)}…`;
}

/**
 * The runner takes `::command::` at the start of a line, after any white space, and the older `##[command]` anywhere
 * (actions/runner ActionCommand.cs). Text from a host must be neither.
 */
function withoutCommand(line: string): string {
  return line.replace(/^([\s\u0085]*)::/, "$1: :").replaceAll("##[", "## [");
}

import { type ChildProcess, fork } from "node:child_process";
import { AppError } from "../core/app-error.ts";
import type { TruthLog, TruthPace, TruthServer } from "../ports/truth-server.ts";
import { startTruthServer } from "./truth-server.ts";

type Question = { readonly begin: TruthPace } | { readonly read: true };
/** The first answer is the address; then one for each question, in order. */
type Answer = { readonly baseUrl: string } | { readonly begun: true } | TruthLog;

const START_WITHIN_MS = 20_000;

/** Few collections, and none on a core that the client needs. */
const STEADY = ["--max-semi-space-size=64", "--single-threaded-gc"];

/**
 * Starts the truth server in a process of its own, which `program` with `args` becomes when it calls `serveParent`. It
 * ends when it is disposed of, and by itself when this process is gone. Throws BENCH_INVALID when it does not start.
 */
export async function startTruthProcess(program: string, args: readonly string[]): Promise<TruthServer> {
  const child = fork(program, [...args], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [...process.execArgv, ...STEADY],
  });
  const ask = asking(child);
  try {
    const { baseUrl } = (await ask(null, START_WITHIN_MS)) as { baseUrl: string };
    return {
      baseUrl,
      begin: async (pace) => void (await ask({ begin: pace })),
      read: async () => (await ask({ read: true })) as TruthLog,
      [Symbol.asyncDispose]: () => end(child),
    };
  } catch (error) {
    await end(child);
    throw error;
  }
}

/** The other side: serves until the parent lets go of the channel between the two, by will or by dying. */
export async function serveParent(): Promise<void> {
  const tell = (answer: Answer) => process.send?.(answer);
  const gone = new Promise((resolve) => process.once("disconnect", resolve));
  // A Ctrl-C goes to the whole terminal; when to end is the parent's business.
  process.on("SIGINT", () => {});
  const server = await startTruthServer();
  process.on("message", (question: Question) => {
    if ("begin" in question) void server.begin(question.begin).then(() => tell({ begun: true }));
    else void server.read().then(tell);
  });
  tell({ baseUrl: server.baseUrl });
  await gone;
}

/** Sends a question, or none, and resolves with the next answer. One at a time. */
function asking(child: ChildProcess) {
  return (question: Question | null, withinMs = 10_000): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const fail = (why: string) => done(() => reject(notServing(why)));
      const onMessage = (answer: unknown) => done(() => resolve(answer as Answer));
      const onExit = (code: number | null) => fail(`it ended with ${code ?? "a signal"}`);
      const onError = (error: Error) => fail(error.message);
      const timer = setTimeout(() => fail(`no word within ${withinMs} ms`), withinMs);
      function done(settle: () => void): void {
        clearTimeout(timer);
        child.off("message", onMessage).off("exit", onExit).off("error", onError);
        settle();
      }
      child.on("message", onMessage).on("exit", onExit).on("error", onError);
      if (question !== null) child.send(question, (error) => error !== null && onError(error));
    });
}

function notServing(why: string): AppError {
  return new AppError("BENCH_INVALID", {
    message: `Cannot check this client: the truth server, a process of our own on 127.0.0.1, does not serve: ${why}`,
    hint: "Run arc-vllm self-test to see more, or measure without a certificate (--certificate-seconds 0)",
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

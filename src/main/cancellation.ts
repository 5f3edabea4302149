/** A runner that cancels sends SIGINT, waits 7.5 s, sends SIGTERM, waits 2.5 s and kills (actions/runner ProcessInvoker.cs). */
const CLEANUP_BUDGET_MS = 7_000;

/**
 * Turns the first SIGINT or SIGTERM into an aborted signal, so that `finally` blocks stop servers; when they take longer
 * than the budget, or a second signal comes, ends the process with 130.
 */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
    setTimeout(() => process.exit(130), CLEANUP_BUDGET_MS).unref();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}

import type { SshHostSpec } from "../config/run-config.ts";
import type { Clock } from "../ports/clock.ts";
import type { ConnectFailure } from "./connect-failure.ts";
import { hostKeyAlgorithms, withoutKeyType } from "./host-key-check.ts";

/** Tries once; `algorithms` restricts the host keys to ask for, null leaves them in their usual order. */
export type ConnectAttempt<Connection> = (
  algorithms: readonly string[] | null,
) => Promise<{ readonly connection: Connection } | ConnectFailure>;

/** Waits before a further attempt, when one was refused, reset or timed out. */
export const RETRY_DELAYS_MS: readonly number[] = [250, 1_000, 2_000];

/** Connects, with a bounded number of attempts: a refused key or login is never tried again. Throws the AppError. */
export async function connectWithRetries<Connection>(
  host: SshHostSpec,
  clock: Clock,
  delaysMs: readonly number[],
  attempt: ConnectAttempt<Connection>,
): Promise<Connection> {
  for (let tries = 0; ; tries += 1) {
    const result = await tryKeyTypes(host, attempt);
    if ("connection" in result) return result.connection;
    const delayMs = delaysMs[tries];
    if (!result.isTransient || delayMs === undefined) throw result.error;
    await clock.sleep(delayMs);
  }
}

/**
 * A fingerprint does not say which type of key it is of, and a handshake shows one key only. So when the shown key is
 * not a trusted one, the host is asked for its other types before it is called wrong.
 */
async function tryKeyTypes<Connection>(
  host: SshHostSpec,
  attempt: ConnectAttempt<Connection>,
): ReturnType<ConnectAttempt<Connection>> {
  const first = await attempt(null);
  if ("connection" in first || host.trust.kind !== "fingerprints") return first;
  let { offered } = first;
  for (let algorithms = hostKeyAlgorithms(host); offered !== null; ) {
    algorithms = withoutKeyType(algorithms, offered.type);
    if (algorithms.length === 0) return first;
    const next = await attempt(algorithms);
    if ("connection" in next) return next;
    offered = next.offered;
  }
  return first;
}

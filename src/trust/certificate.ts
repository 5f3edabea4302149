import type { LoadPoint } from "../measure/load-point.ts";
import type { Clock } from "../ports/clock.ts";
import { type CheckClientContext, type ClientCheck, checkClient } from "./check-client.ts";
import { type ClientLoad, covers, loadWords, producedLoad } from "./client-load.ts";

/** What this client was worth on this machine, shown right before it measured. */
export interface Certificate extends ClientCheck {
  readonly startedAt: string;
  readonly machine: ClientMachine;
  /** How often it was tried: a check that another program disturbs is repeated. */
  readonly attempts: number;
}

export interface ClientMachine {
  readonly cpu: string;
  readonly cores: number;
  /** Version of Node.js. */
  readonly node: string;
}

export interface CertifyContext extends CheckClientContext {
  readonly clock: Clock;
  readonly machine: ClientMachine;
  readonly onProgress?: (line: string) => void;
}

/** A disturbed check is discarded and repeated, up to so many times in all. */
const ATTEMPTS = 3;

/** Certifies this client for a load, with checks of `seconds` each. */
export async function certify(context: CertifyContext, load: ClientLoad, seconds: number): Promise<Certificate> {
  const startedAt = context.clock.isoNow();
  for (let attempts = 1; ; attempts += 1) {
    context.onProgress?.(
      `certifying this client for ${loadWords(load)}${attempts === 1 ? "" : `, attempt ${attempts}`}`,
    );
    const check = await checkClient(context, load, seconds);
    if (check.problems.length > 0 && attempts < ATTEMPTS) continue;
    return { ...check, startedAt, machine: context.machine, attempts };
  }
}

/** Whether a certificate vouches for what the points really brought. */
export function vouchesFor(certificate: Certificate, points: readonly LoadPoint[]): boolean {
  return certificateProblems(certificate, points).length === 0;
}

/** Why the points are not to be trusted, in words; empty: nothing speaks against them. */
export function certificateProblems(certificate: Certificate, points: readonly LoadPoint[]): string[] {
  const { load, problems } = certificate;
  if (problems.length > 0) return [`this client cannot be trusted with ${loadWords(load)}: ${problems.join("; ")}`];
  const beyond = points.map(producedLoad).filter((produced) => produced !== null && !covers(load, produced));
  return [...new Set(beyond.map((produced) => `${loadWords(produced as ClientLoad)} were measured`))].map(
    (what) => `${what}, this client is certified for ${loadWords(load)}`,
  );
}

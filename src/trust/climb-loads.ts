import type { ClientCheck } from "./check-client.ts";
import type { ClientLoad } from "./client-load.ts";

/** Rising loads: what one card brings to one user, a whole host, more than any host. */
export const LOAD_LADDER: readonly ClientLoad[] = [
  { streams: 8, eventsPerSecond: 500 },
  { streams: 16, eventsPerSecond: 1000 },
  { streams: 32, eventsPerSecond: 2500 },
  { streams: 64, eventsPerSecond: 5000 },
  { streams: 128, eventsPerSecond: 10_000 },
  { streams: 256, eventsPerSecond: 15_000 },
  { streams: 512, eventsPerSecond: 20_000 },
  { streams: 1024, eventsPerSecond: 40_000 },
];

/** Two loads in a row that cannot be trusted end the climb; one may be somebody else's fault. */
const MISSES = 2;

/** Checks one load after the other until this client is no longer right. */
export async function climbLoads(
  loads: readonly ClientLoad[],
  check: (load: ClientLoad) => Promise<ClientCheck>,
): Promise<readonly ClientCheck[]> {
  const checks: ClientCheck[] = [];
  for (const load of loads) {
    checks.push(await check(load));
    const last = checks.slice(-MISSES);
    if (last.length === MISSES && last.every(({ problems }) => problems.length > 0)) break;
  }
  return checks;
}

/** The largest load that was followed rightly; null: none was. */
export function trustedLoad(checks: readonly ClientCheck[]): ClientLoad | null {
  return checks.filter(({ problems }) => problems.length === 0).at(-1)?.load ?? null;
}

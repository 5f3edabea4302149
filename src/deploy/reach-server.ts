import { AppError } from "../core/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import type { TunnelCost } from "./deployment.ts";

export interface Reach {
  /** Goes whichever way the server could be reached first, and stays with it. */
  readonly models: ModelStream;
  /** True once that is the way through SSH. */
  isTunnelled(): boolean;
}

/** A port that is not filtered answers or refuses at once. */
const DIRECT_MS = 5000;

/** Asks directly, and through SSH only when that is the one way to get an answer. */
export function directOrTunnel(direct: ModelStream, tunnel: ModelStream): Reach {
  let chosen: ModelStream | null = null;

  const ask: ModelStream["ask"] = async (request, options) => {
    if (chosen !== null) return chosen.ask(request, options);
    const briefly = { ...options, timeoutMs: Math.min(options.timeoutMs, DIRECT_MS) };
    const answered = (way: ModelStream) => {
      chosen ??= way;
    };
    try {
      const answer = await direct.ask(request, briefly);
      answered(direct);
      return answer;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "ENDPOINT_UNREACHABLE") throw error;
      const answer = await tunnel.ask(request, options).catch(() => null);
      if (answer === null) throw error;
      // It may have come up between the two attempts.
      const again = await direct.ask(request, briefly).catch(() => null);
      answered(again === null ? tunnel : direct);
      return again ?? answer;
    }
  };

  return {
    models: {
      ask,
      stream: (request, sink) => (chosen ?? direct).stream(request, sink),
      open: async (url, count) => (chosen ?? direct).open?.(url, count),
      async [Symbol.asyncDispose]() {
        await tunnel[Symbol.asyncDispose]();
      },
    },
    isTunnelled: () => chosen === tunnel,
  };
}

const ROUND_TRIPS = 9;
const ROUND_TRIP_TIMEOUT_MS = 3000;

/** Compares both ways to a server that is ready. */
export async function tunnelCost(
  ways: { readonly tunnel: ModelStream; readonly direct: ModelStream },
  baseUrl: string,
  clock: Clock,
): Promise<TunnelCost> {
  return {
    roundTripMs: await roundTripMs(ways.tunnel, baseUrl, clock),
    directMs: await roundTripMs(ways.direct, baseUrl, clock),
  };
}

/** Median of a few; the first one opens the connection and does not count. Null: there is no answer this way. */
async function roundTripMs(models: ModelStream, baseUrl: string, clock: Clock): Promise<number | null> {
  const times: number[] = [];
  try {
    for (let trip = 0; trip <= ROUND_TRIPS; trip += 1) {
      const startedMs = clock.nowMs();
      await models.ask({ method: "GET", url: `${baseUrl}/health`, headers: {} }, { timeoutMs: ROUND_TRIP_TIMEOUT_MS });
      if (trip > 0) times.push(clock.nowMs() - startedMs);
    }
  } catch {
    return null;
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUND_TRIPS / 2)] ?? null;
}

import { inFlight } from "../bench/in-flight.ts";
import { startRequest } from "../bench/start-request.ts";
import type { RequestTrace } from "../measure/load-point.ts";
import type { CheckClientContext } from "./check-client.ts";
import { FAULT_CASE_TOKENS, FAULT_CASES, type FaultCase } from "./fault-cases.ts";

/** One way to answer, and whether this client saw it for what it was. */
export interface FaultResult {
  readonly profile: string;
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

const PACE = { ttftMs: 20, itlMs: 3 };
const TIMEOUT_MS = 15_000;
/** The shortest limit of any case: how often limits are looked at. */
const LOOK_EVERY_MS = 20;

/** Asks the truth server for every fault it has, all at once, and compares how each request was booked. */
export async function runFaultCases(context: CheckClientContext): Promise<readonly FaultResult[]> {
  const { truth, models, clock, signal } = context;
  await truth.begin(PACE);
  const requests = inFlight(clock, LOOK_EVERY_MS);
  const cancel = () => requests.cancelAll();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const traces = await Promise.all(
      FAULT_CASES.map((fault, index) =>
        requests.watch(
          startRequest(models, clock, planOf(fault, index, truth.baseUrl), { scheduledMs: null, queuedMs: 0 }),
        ),
      ),
    );
    return FAULT_CASES.map((fault, at) => resultOf(fault, traces[at] as RequestTrace));
  } finally {
    signal.removeEventListener("abort", cancel);
    requests.stop();
  }
}

function planOf({ profile, limits }: FaultCase, index: number, baseUrl: string) {
  const body = {
    model: `truth@${profile}`,
    messages: [{ role: "user", content: "Hello" }],
    max_tokens: FAULT_CASE_TOKENS,
    stream: true,
    stream_options: { include_usage: true },
  };
  return {
    index,
    rid: `fault-${profile}`,
    url: `${baseUrl}/v1/chat/completions`,
    body: JSON.stringify(body),
    apiKey: null,
    wantedTokens: FAULT_CASE_TOKENS,
    stallTimeoutMs: TIMEOUT_MS,
    totalTimeoutMs: TIMEOUT_MS,
    ...limits,
  };
}

function resultOf(fault: FaultCase, trace: RequestTrace): FaultResult {
  const chunks = fault.chunks === null ? null : trace.chunkMs.length;
  const expected = words(fault.outcome, fault.outputTokens, fault.chunks);
  const found = words(trace.outcome, trace.outputTokens, chunks);
  return { profile: fault.profile, expected, found, ok: expected === found };
}

function words(outcome: string, tokens: number | null, chunks: number | null): string {
  const counted = tokens === null ? "tokens not known" : `${tokens} tokens`;
  return `${outcome}, ${counted}${chunks === null ? "" : `, ${chunks} events`}`;
}

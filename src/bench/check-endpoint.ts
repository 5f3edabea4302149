import { AppError, type ErrorCode } from "../core/app-error.ts";
import type { Outcome, RequestTrace } from "./load-point.ts";

/**
 * Judges the first request of a workload: throws when nothing can be measured at this endpoint at all. A fault that
 * the next request may not meet (a reset, a 503, a stall) is not for this check: it becomes data.
 */
export function checkFirstAnswer(trace: RequestTrace, url: string, model: string): void {
  const failure = failureOf(trace);
  if (failure === null) return;
  throw new AppError(failure.code, {
    message: `Cannot measure model "${model}" at "${url}": ${trace.detail ?? trace.outcome}`,
    hint: failure.hint,
  });
}

interface Failure {
  readonly code: ErrorCode;
  readonly hint: string;
}

function failureOf(trace: RequestTrace): Failure | null {
  if (trace.outcome === "http_4xx") return refusal(trace);
  // After a token the same end is a fault that the next request may not meet.
  return trace.firstMs === null ? (FAILURES[trace.outcome] ?? null) : null;
}

function refusal({ httpStatus, detail }: RequestTrace): Failure {
  if (httpStatus === 401 || httpStatus === 403) {
    return { code: "ENDPOINT_UNAUTHORIZED", hint: "Give the API key that this server was started with" };
  }
  if (httpStatus === 404 && /model/i.test(detail ?? "")) {
    return { code: "MODEL_NOT_FOUND", hint: "Use one of the names that GET /v1/models lists" };
  }
  if (httpStatus === 404 || httpStatus === 405) {
    return { code: "ENDPOINT_NOT_FOUND", hint: "Check the base URL (without /v1) and the endpoint" };
  }
  return REFUSED;
}

const REFUSED: Failure = {
  code: "BENCH_NO_TOKENS",
  hint: "Change the workload so that the server accepts its requests",
};

const FAILURES: Partial<Record<Outcome, Failure>> = {
  connect: { code: "ENDPOINT_UNREACHABLE", hint: "Check that the server runs and that the address and port are right" },
  tls: {
    code: "ENDPOINT_UNREACHABLE",
    hint: "Use http:// when the server speaks no TLS; give the CA file when its certificate is your own",
  },
  sse_protocol: {
    code: "ENDPOINT_NOT_OPENAI",
    hint: "Give the base URL of an OpenAI-compatible server, without /v1, and one of its streaming endpoints",
  },
  // vLLM checks token ids only after it has sent its 200.
  midstream_error: REFUSED,
  truncated: { code: "BENCH_NO_TOKENS", hint: "Look in the server's log for why it ends its answers at once" },
};

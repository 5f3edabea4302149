import { OPEN_WEBUI_CHAT } from "../config/endpoint-api.ts";
import { AppError, type ErrorCode } from "../core/app-error.ts";
import type { Outcome, RequestTrace } from "../measure/load-point.ts";

/**
 * Judges the first request of a workload: throws when nothing can be measured at this endpoint at all. A fault that
 * the next request may not meet (a reset, a 503, a stall) is not for this check: it becomes data.
 */
export function checkFirstAnswer(trace: RequestTrace, url: string, model: string): void {
  const failure = failureOf(trace, url.endsWith(OPEN_WEBUI_CHAT));
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

function failureOf(trace: RequestTrace, isWebUi: boolean): Failure | null {
  if (trace.outcome === "http_4xx") return refusal(trace, isWebUi);
  if (trace.outcome === "http_5xx" && /Open WebUI: Server Connection Error/i.test(trace.detail ?? ""))
    return NO_BACKEND;
  // After a token the same end is a fault that the next request may not meet.
  return trace.firstMs === null ? (FAILURES[trace.outcome] ?? null) : null;
}

const SERVER_KEY =
  "Put the API key that this server was started with into the environment variable that --api-key-env (serve.api-key-env) names";
const WEBUI_KEY =
  "Make an API key in Open WebUI (Settings > Account; an administrator has to allow them) and put it into the environment variable that --api-key-env (serve.api-key-env) names";

function refusal({ httpStatus, detail }: RequestTrace, isWebUi: boolean): Failure {
  if (httpStatus === 401 || httpStatus === 403) {
    return { code: "ENDPOINT_UNAUTHORIZED", hint: isWebUi ? WEBUI_KEY : SERVER_KEY };
  }
  const isModel = (httpStatus === 404 && /model/i.test(detail ?? "")) || /model not found/i.test(detail ?? "");
  if (isModel) {
    const list = isWebUi ? "/api/models lists for the user of this key" : "/v1/models lists";
    return { code: "MODEL_NOT_FOUND", hint: `Use one of the names that GET ${list}` };
  }
  if (httpStatus === 404 || httpStatus === 405) {
    return { code: "ENDPOINT_NOT_FOUND", hint: "Check the base URL (without /v1) and the endpoint" };
  }
  return REFUSED;
}

/** Its own words for a model server that does not answer. */
const NO_BACKEND: Failure = {
  code: "ENDPOINT_UNREACHABLE",
  hint: "Start the model server behind Open WebUI, or correct its address in Open WebUI's connections",
};

const REFUSED: Failure = {
  code: "BENCH_NO_TOKENS",
  hint: "Change the workload so that the server accepts its requests",
};

const FAILURES: Partial<Record<Outcome, Failure>> = {
  connect: { code: "ENDPOINT_UNREACHABLE", hint: "Check that the server runs and that the address and port are right" },
  tls: {
    code: "ENDPOINT_UNREACHABLE",
    hint: "Give the certificate of your CA with --ca-file (serve.ca-file); use http:// when the server speaks no TLS",
  },
  sse_protocol: {
    code: "ENDPOINT_NOT_OPENAI",
    hint: "Give the base URL of an OpenAI-compatible server, without /v1, and one of its streaming endpoints",
  },
  // vLLM checks token ids only after it has sent its 200.
  midstream_error: REFUSED,
  truncated: { code: "BENCH_NO_TOKENS", hint: "Look in the server's log for why it ends its answers at once" },
};

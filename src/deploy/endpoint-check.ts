import { type EndpointApi, OPEN_WEBUI_CHAT } from "../config/endpoint-api.ts";
import { AppError, type ErrorCode } from "../core/app-error.ts";
import type { Secret } from "../core/secret.ts";
import type { HttpAnswer, ModelStream } from "../ports/model-stream.ts";

export interface EndpointUnderTest {
  /** Without a trailing slash and without /v1. */
  readonly baseUrl: string;
  readonly servedModelName: string;
  readonly apiKey: Secret | null;
  /** Whose paths it has; absent: "openai". */
  readonly api?: EndpointApi;
}

export type EndpointState =
  | { readonly ready: true; readonly maxModelLen: number | null }
  /** `unreachable`: nothing answered at all. */
  | { readonly ready: false; readonly unreachable: boolean; readonly why: string };

export interface AskLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * One look at an endpoint: health, the served models, and one real completion. An answer that waiting cannot change
 * throws (ENDPOINT_NOT_OPENAI, ENDPOINT_NOT_FOUND, ENDPOINT_UNAUTHORIZED, MODEL_NOT_FOUND); everything else is "not yet".
 */
export async function checkEndpoint(
  models: ModelStream,
  endpoint: EndpointUnderTest,
  limits: AskLimits,
): Promise<EndpointState> {
  const ask = (path: string, body?: object) => askEndpoint(models, endpoint, path, limits, body);
  try {
    const health = await ask("/health");
    // Engines that are not vLLM may have no /health; what they serve is asked next.
    if (health.status >= 500) return notYet(`/health answers ${health.status}`);

    const { models: modelsPath } = PATHS[endpoint.api ?? "openai"];
    const list = await ask(modelsPath);
    if (list.status >= 500) return notYet(`${modelsPath} answers ${list.status}`);
    const model = servedModel(endpoint, list);

    const completion = await complete(endpoint, ask);
    return completion ?? { ready: true, maxModelLen: model.maxModelLen };
  } catch (error) {
    if (error instanceof AppError && error.code === "ENDPOINT_UNREACHABLE" && !limits.signal.aborted) {
      return { ready: false, unreachable: true, why: error.message };
    }
    throw error;
  }
}

/** What `/version` says (vLLM), or null. */
export async function askVersion(
  models: ModelStream,
  endpoint: EndpointUnderTest,
  limits: AskLimits,
): Promise<string | null> {
  const answer = await askEndpoint(models, endpoint, "/version", limits).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "ENDPOINT_UNREACHABLE") return null;
    throw error;
  });
  const version = answer?.status === 200 ? field(parseJson(answer.body), "version") : null;
  return typeof version === "string" ? version : null;
}

type Ask = (path: string, body?: object) => Promise<HttpAnswer>;

/** Completions are asked first, then chat. */
const PATHS = {
  openai: { models: "/v1/models", completions: "/v1/completions", chat: "/v1/chat/completions" },
  "open-webui": { models: "/api/models", completions: null, chat: OPEN_WEBUI_CHAT },
} as const satisfies Record<EndpointApi, object>;

/** One real token, from the completions endpoint or else from chat. Null when it came. */
async function complete(endpoint: EndpointUnderTest, ask: Ask): Promise<EndpointState | null> {
  const settings = { model: endpoint.servedModelName, max_tokens: 1, temperature: 0 };
  const { completions, chat } = PATHS[endpoint.api ?? "openai"];
  const text = completions === null ? null : await ask(completions, { ...settings, prompt: "Hello" });
  const answer =
    text === null || text.status === 404 || text.status === 405
      ? await ask(chat, { ...settings, messages: [{ role: "user", content: "Hello" }] })
      : text;
  if (answer.status >= 500) return notYet(`a completion ends with ${answer.status}: ${errorText(answer.body)}`);
  requireOpenAi(endpoint, "a completion", answer);
  return tokensOf(answer.body) >= 1 ? null : notYet("a completion of one token came back empty");
}

function tokensOf(body: string): number {
  const answer = parseJson(body);
  const counted = field(field(answer, "usage"), "completion_tokens");
  if (typeof counted === "number") return counted;
  const choices = field(answer, "choices");
  const choice: unknown = Array.isArray(choices) ? choices[0] : null;
  const content = field(choice, "text") ?? field(field(choice, "message"), "content");
  return typeof content === "string" && content !== "" ? 1 : 0;
}

function servedModel(endpoint: EndpointUnderTest, answer: HttpAnswer): { maxModelLen: number | null } {
  const { models: path } = PATHS[endpoint.api ?? "openai"];
  const data = field(requireOpenAi(endpoint, path, answer), "data");
  if (!Array.isArray(data)) {
    throw fail("ENDPOINT_NOT_OPENAI", endpoint, `${path} answers ${excerpt(answer.body)}, a list of models is wanted`);
  }
  const served = data.find((entry) => field(entry, "id") === endpoint.servedModelName);
  if (served === undefined) {
    const names = data.map((entry) => String(field(entry, "id"))).join(", ") || "none";
    throw new AppError("MODEL_NOT_FOUND", {
      message: `Cannot use model "${endpoint.servedModelName}" at ${endpoint.baseUrl}: the server serves ${names}`,
      hint: `Set "serve.served-model-name" to a name that the server lists under ${path}`,
    });
  }
  const length = field(served, "max_model_len");
  return { maxModelLen: typeof length === "number" ? length : null };
}

/** The answer's JSON object when it is a 200 of an OpenAI-compatible server; otherwise the error that fits. */
function requireOpenAi(endpoint: EndpointUnderTest, what: string, answer: HttpAnswer): unknown {
  const { status, body } = answer;
  const said = `${what} answers ${status}: ${errorText(body)}`;
  if (status === 401 || status === 403) throw fail("ENDPOINT_UNAUTHORIZED", endpoint, said);
  if (status === 404) throw fail("ENDPOINT_NOT_FOUND", endpoint, said);
  if (status !== 200) throw fail("ENDPOINT_NOT_OPENAI", endpoint, `${said}, 200 is wanted`);
  const json = parseJson(body);
  if (typeof json !== "object" || json === null) {
    const type = answer.headers["content-type"] ?? "no content type";
    throw fail("ENDPOINT_NOT_OPENAI", endpoint, `${what} answers ${excerpt(body)} (${type}), JSON is wanted`);
  }
  return json;
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  ENDPOINT_UNAUTHORIZED: 'Put the right key into the environment variable that "serve.api-key-env" names',
  ENDPOINT_NOT_FOUND: 'Check the port and the path of "serve.base-url"; "/v1" is added to it',
  ENDPOINT_NOT_OPENAI: "Check address and port: something else than an OpenAI-compatible server answers there",
};

function fail(code: ErrorCode, endpoint: EndpointUnderTest, said: string): AppError {
  return new AppError(code, {
    message: `Cannot use the endpoint ${endpoint.baseUrl}: ${said}`,
    hint: HINTS[code] ?? "Check the endpoint",
  });
}

function notYet(why: string): EndpointState {
  return { ready: false, unreachable: false, why };
}

async function askEndpoint(
  models: ModelStream,
  { baseUrl, apiKey }: EndpointUnderTest,
  path: string,
  limits: AskLimits,
  body?: object,
): Promise<HttpAnswer> {
  return models.ask(
    {
      method: body === undefined ? "GET" : "POST",
      url: `${baseUrl}${path}`,
      headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(apiKey === null ? {} : { apiKey }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    },
    limits,
  );
}

/** The words of an error body in the shapes that vLLM, FastAPI and proxies use; else its beginning. */
function errorText(body: string): string {
  const json = parseJson(body);
  const error = field(json, "error");
  const words = field(error, "message") ?? error ?? field(json, "detail") ?? field(json, "message");
  return typeof words === "string" ? words : excerpt(body);
}

function excerpt(body: string): string {
  const line = body.replace(/\s+/g, " ").trim();
  if (line === "") return "nothing";
  return JSON.stringify(line.length > 120 ? `${line.slice(0, 120)}…` : line);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

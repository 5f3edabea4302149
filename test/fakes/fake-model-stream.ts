import { AppError } from "../../src/core/app-error.ts";
import type { HttpAnswer, HttpRequest, ModelStream, StreamHandle } from "../../src/ports/model-stream.ts";

/** What a request gets: only what differs from "200, no headers, empty body". Null: nothing listens. */
export type FakeAnswer = Partial<HttpAnswer> | null;

export interface FakeModelStream extends ModelStream {
  readonly asked: readonly HttpRequest[];
}

/** A server that answers by a function of the request. `stream` delivers the same answer in one piece. */
export function fakeModelStream(answer: (request: HttpRequest) => FakeAnswer | Promise<FakeAnswer>): FakeModelStream {
  const asked: HttpRequest[] = [];
  const respond = async (request: HttpRequest): Promise<HttpAnswer | null> => {
    asked.push(request);
    const part = await answer(request);
    return part === null ? null : { status: 200, headers: {}, body: "", ...part };
  };
  return {
    asked,
    async ask(request, { signal }) {
      if (signal?.aborted) throw new AppError("CANCELLED", { message: "Cannot ask: cancelled", hint: "Run again" });
      const whole = await respond(request);
      if (whole !== null) return whole;
      throw new AppError("ENDPOINT_UNREACHABLE", {
        message: `Cannot ${request.method} "${request.url}": connect ECONNREFUSED`,
        hint: "Check that the server runs",
      });
    },
    stream(request, sink): StreamHandle {
      let cancelled = false;
      void respond(request).then((whole) => {
        if (cancelled) return sink.onFailure("cancelled", "cancelled", 0);
        if (whole === null) return sink.onFailure("connect", "connect ECONNREFUSED", 0);
        sink.onHeaders(whole.status, whole.headers, 0);
        const bytes = new TextEncoder().encode(whole.body);
        sink.onData(bytes, 0, bytes.length, 0);
        sink.onEnd(0);
      });
      return {
        resent: false,
        cancel() {
          cancelled = true;
        },
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** The answers of a vLLM that serves one model; give the paths that differ. */
export function vllmAnswers(
  model: string,
  different: Readonly<Record<string, FakeAnswer>> = {},
): (request: HttpRequest) => FakeAnswer {
  const answers: Record<string, FakeAnswer> = {
    "/health": {},
    "/version": { body: '{"version":"0.8.3"}' },
    "/v1/models": { body: JSON.stringify({ object: "list", data: [{ id: model, max_model_len: 2048 }] }) },
    "/v1/completions": { body: JSON.stringify({ choices: [{ text: " the" }], usage: { completion_tokens: 1 } }) },
    ...different,
  };
  return ({ url }) => {
    const path = new URL(url).pathname;
    return path in answers ? (answers[path] as FakeAnswer) : { status: 404, body: '{"detail":"Not Found"}' };
  };
}

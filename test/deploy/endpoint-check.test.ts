import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { checkEndpoint } from "../../src/deploy/endpoint-check.ts";
import { type FakeAnswer, fakeModelStream, vllmAnswers } from "../fakes/fake-model-stream.ts";

const endpoint = { baseUrl: "http://10.0.0.5:8000", servedModelName: "tiny", apiKey: null };

/** Checks a vLLM that serves "tiny" and differs by these paths. */
function check(different: Readonly<Record<string, FakeAnswer>> = {}) {
  const limits = { timeoutMs: 1000, signal: new AbortController().signal };
  return checkEndpoint(fakeModelStream(vllmAnswers("tiny", different)), endpoint, limits);
}

const HTML = { headers: { "content-type": "text/html" }, body: "<html><h1>It works!</h1></html>" };

describe("checkEndpoint()", () => {
  it("is ready after one real completion and tells the longest context", async () => {
    expect(await check()).toEqual({ ready: true, maxModelLen: 2048 });
  });

  it("does without /health, which only vLLM has", async () => {
    expect(await check({ "/health": { status: 404 } })).toMatchObject({ ready: true });
  });

  it("asks chat when the engine has no text completions", async () => {
    const chat = { body: JSON.stringify({ choices: [{ message: { content: "Hi" } }] }) };
    const state = await check({ "/v1/completions": { status: 404 }, "/v1/chat/completions": chat });
    expect(state).toMatchObject({ ready: true });
  });

  it("asks Open WebUI under its own paths: /v1 is its web page", async () => {
    const webUi = fakeModelStream(({ url }) => {
      const { pathname } = new URL(url);
      if (pathname === "/api/models") return { body: JSON.stringify({ data: [{ id: "tiny" }] }) };
      if (pathname === "/api/chat/completions") {
        return { body: JSON.stringify({ choices: [{ message: { content: "Hi" } }] }) };
      }
      return HTML;
    });
    const limits = { timeoutMs: 1000, signal: new AbortController().signal };
    expect(await checkEndpoint(webUi, { ...endpoint, api: "open-webui" }, limits)).toMatchObject({ ready: true });
    await expect(checkEndpoint(webUi, endpoint, limits)).rejects.toMatchObject({ code: "ENDPOINT_NOT_OPENAI" });
    const other = { ...endpoint, api: "open-webui", servedModelName: "other" } as const;
    await expect(checkEndpoint(webUi, other, limits)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      hint: expect.stringContaining("/api/models"),
    });
  });

  it("takes the token count over the text, since a token may be part of a character", async () => {
    const body = JSON.stringify({ choices: [{ text: "" }], usage: { completion_tokens: 1 } });
    expect(await check({ "/v1/completions": { body } })).toMatchObject({ ready: true });
  });

  it.each<{ name: string; different: Record<string, FakeAnswer>; why: RegExp; unreachable?: boolean }>([
    { name: "nothing listens", different: { "/health": null }, why: /ECONNREFUSED/, unreachable: true },
    { name: "/health says 503", different: { "/health": { status: 503 } }, why: /\/health answers 503/ },
    { name: "/v1/models says 502", different: { "/v1/models": { status: 502 } }, why: /\/v1\/models answers 502/ },
    {
      name: "the completion is empty",
      different: { "/v1/completions": { body: '{"choices":[{"text":""}]}' } },
      why: /came back empty/,
    },
    {
      name: "the completion fails in the engine",
      different: { "/v1/completions": { status: 500, body: '{"error":{"message":"EngineCore"}}' } },
      why: /500: EngineCore/,
    },
  ])("is not ready while $name", async ({ different, why, unreachable = false }) => {
    expect(await check(different)).toEqual({ ready: false, unreachable, why: expect.stringMatching(why) });
  });

  it.each<{ code: string; different: Record<string, FakeAnswer>; message: RegExp }>([
    {
      code: "ENDPOINT_UNAUTHORIZED",
      different: { "/v1/models": { status: 401, body: '{"error":"Unauthorized"}' } },
      message: /\/v1\/models answers 401: Unauthorized/,
    },
    {
      code: "ENDPOINT_UNAUTHORIZED",
      different: { "/v1/completions": { status: 403, body: '{"error":{"message":"no access"}}' } },
      message: /403: no access/,
    },
    {
      code: "ENDPOINT_NOT_FOUND",
      different: { "/v1/models": { status: 404, body: '{"detail":"Not Found"}' } },
      message: /404: Not Found/,
    },
    {
      code: "ENDPOINT_NOT_OPENAI",
      different: { "/v1/models": HTML },
      message: /It works!.*text\/html.*JSON is wanted/,
    },
    { code: "ENDPOINT_NOT_OPENAI", different: { "/v1/models": { body: '{"ok":true}' } }, message: /list of models/ },
    { code: "ENDPOINT_NOT_OPENAI", different: { "/v1/models": { status: 302 } }, message: /302.*200 is wanted/ },
    {
      code: "ENDPOINT_NOT_OPENAI",
      different: { "/v1/completions": { status: 400, body: '{"error":{"message":"bad"}}' } },
      message: /400: bad/,
    },
    {
      code: "MODEL_NOT_FOUND",
      different: { "/v1/models": { body: '{"data":[{"id":"qwen"},{"id":"llama"}]}' } },
      message: /"tiny" at .*: the server serves qwen, llama/,
    },
  ])("throws $code for $different", async ({ code, different, message }) => {
    await expect(check(different)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("sends the API key with every request", async () => {
    const apiKey = new Secret("k");
    const models = fakeModelStream(vllmAnswers("tiny"));
    await checkEndpoint(models, { ...endpoint, apiKey }, { timeoutMs: 1000, signal: new AbortController().signal });
    expect(models.asked.map((request) => request.apiKey)).toEqual([apiKey, apiKey, apiKey]);
  });
});

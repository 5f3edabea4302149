import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { tokenText } from "../../src/sim-vllm/token-text.ts";
import { startVllmEngine } from "../../src/sim-vllm/vllm-engine.ts";
import { vllmMetrics } from "../../src/sim-vllm/vllm-metrics.ts";
import { startVllmServer, type VllmServerOptions } from "../../src/sim-vllm/vllm-server.ts";
import { serving, TUNED } from "./llama-3-8b.ts";

interface Look {
  readonly url: string;
  readonly stop: () => Promise<void>;
  readonly engine: ReturnType<typeof startVllmEngine>;
}

/** The look-alike with a card so fast that a token takes about a millisecond. */
async function lookAlike(over: Partial<VllmServerOptions> = {}, maxNumSeqs = 8): Promise<Look> {
  const tiny = { ...serving().model, layers: 2, params: 30e6, embedParams: 1e6 };
  const engine = startVllmEngine({
    clock: systemClock,
    serving: serving({ model: tiny }),
    limits: { maxNumSeqs, maxNumBatchedTokens: 4000, kvTokens: 20_000 },
    hostSpeed: () => TUNED,
    seed: 1,
    firstStepMs: 0,
  });
  const server = await startVllmServer({
    clock: systemClock,
    engine,
    metrics: vllmMetrics("tiny"),
    tokens: tokenText(4096, 1),
    servedModelName: "tiny",
    maxModelLen: 4096,
    vocabSize: 4096,
    port: 0,
    modelRoot: "/llm/models/tiny",
    apiKey: null,
    requestIdHeaders: false,
    log: () => undefined,
    ...over,
  });
  const stop = async () => {
    await engine.stop();
    await server.close();
  };
  onTestFinished(stop);
  return { url: `http://127.0.0.1:${server.port}`, stop, engine };
}

function post({ url }: Look, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

async function events(response: Response): Promise<string[]> {
  return (await response.text()).split("\n\n").filter(Boolean);
}

interface Answer {
  readonly choices: readonly { readonly text: string; readonly finish_reason: string }[];
  readonly usage: { readonly completion_tokens: number };
}

async function answerOf(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}

const chunks = (lines: readonly string[]) => lines.slice(0, -1).map((line) => JSON.parse(line.slice(6)));

describe("vLLM look-alike", () => {
  it("streams completions as vLLM writes them, with usage on every chunk and once more at the end", async () => {
    const look = await lookAlike();
    const stream_options = { include_usage: true, continuous_usage_stats: true };
    const body = {
      model: "tiny",
      prompt: [5, 6, 7, 8, 9],
      max_tokens: 3,
      ignore_eos: true,
      stream: true,
      stream_options,
    };
    const response = await post(look, "/v1/completions", body, { "x-request-id": "my-id" });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("server")).toContain("simulated");

    const lines = await events(response);
    expect(lines.at(-1)).toBe("data: [DONE]");
    const [first, , third, usage] = chunks(lines);
    expect(first).toEqual({
      id: "cmpl-my-id",
      object: "text_completion",
      created: expect.any(Number),
      model: "tiny",
      choices: [
        {
          index: 0,
          text: expect.stringMatching(/^ \w+$/),
          logprobs: null,
          finish_reason: null,
          stop_reason: null,
          prompt_token_ids: null,
          token_ids: null,
        },
      ],
      usage: { prompt_tokens: 5, total_tokens: 6, completion_tokens: 1 },
    });
    expect(third.choices[0].finish_reason).toBe("length");
    expect(usage).toMatchObject({ choices: [], usage: { prompt_tokens: 5, total_tokens: 8, completion_tokens: 3 } });
  });

  it("opens a chat stream with a chunk that carries the role and no token", async () => {
    const look = await lookAlike();
    const messages = [{ role: "user", content: "Hello world" }];
    const lines = await events(
      await post(look, "/v1/chat/completions", { messages, max_tokens: 2, ignore_eos: true, stream: true }),
    );
    const [role, ...tokens] = chunks(lines);
    expect(role.choices).toEqual([
      { index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null },
    ]);
    expect(tokens.map(({ choices }) => choices[0].finish_reason)).toEqual([null, "length"]);
    expect(tokens.every((chunk) => !("usage" in chunk))).toBe(true);
    expect(tokens.at(-1).system_fingerprint).toContain("simulated");
  });

  it("answers whole when nothing is streamed, and continues a prompt alike every time", async () => {
    const look = await lookAlike();
    const ask = async () => answerOf(await post(look, "/v1/completions", { prompt: "Hello world", max_tokens: 4 }));
    const [left, right] = [await ask(), await ask()];
    expect(left).toMatchObject({ object: "text_completion", usage: { completion_tokens: 4, prompt_tokens: 3 } });
    expect(left.choices[0]?.text).toBe(right.choices[0]?.text);
    const chat = await post(look, "/v1/chat/completions", {
      messages: [{ role: "user", content: "Hi" }],
      max_tokens: 1,
    });
    expect(await chat.json()).toMatchObject({ choices: [{ message: { role: "assistant" }, finish_reason: "length" }] });
  });

  it("ends by itself where no one asks to ignore the end of text", async () => {
    const look = await lookAlike();
    const answer = await answerOf(await post(look, "/v1/completions", { prompt: "Tell me", max_tokens: 500 }));
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect(answer.usage.completion_tokens).toBeLessThan(500);
  });

  it.each([
    { name: "an unknown model", body: { model: "nope", prompt: "x" }, status: 404, type: "NotFoundError" },
    {
      name: "a prompt longer than the context",
      body: { prompt: new Array(5000).fill(7) },
      status: 400,
      param: "input_tokens",
    },
    { name: "more tokens than the context", body: { prompt: "x", max_tokens: 5000 }, status: 400 },
    { name: "no tokens at all", body: { prompt: "x", max_tokens: 0 }, status: 400 },
    { name: "a token outside the vocabulary", body: { prompt: [99999] }, status: 400 },
    {
      name: "stream options without a stream",
      body: { prompt: "x", stream_options: { include_usage: true } },
      status: 400,
    },
    { name: "broken JSON", body: "{", status: 400, type: "Bad Request" },
  ])("refuses $name with an error body", async ({ body, status, type, param }) => {
    const response = await post(await lookAlike(), "/v1/completions", body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect(error).toMatchObject({
      code: status,
      type: type ?? "BadRequestError",
      param: param ?? (status === 404 ? "model" : null),
    });
    expect(error["message"]).not.toBe("");
  });

  it.each([
    { path: "/v1/nope", init: {}, status: 404, body: '{"detail":"Not Found"}' },
    { path: "/v1/completions", init: {}, status: 405, body: '{"detail":"Method Not Allowed"}' },
    { path: "/health", init: {}, status: 200, body: "" },
    { path: "/version", init: {}, status: 200, body: '{"version":"0.8.3+simulated"}' },
  ])("answers GET $path with $status", async ({ path, init, status, body }) => {
    const response = await fetch(`${(await lookAlike()).url}${path}`, init);
    expect([response.status, await response.text()]).toEqual([status, body]);
  });

  it("asks for its key under /v1 only", async () => {
    const look = await lookAlike({ apiKey: "k" });
    expect((await fetch(`${look.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${look.url}/v1/models`, { headers: { authorization: "Bearer k" } })).status).toBe(200);
    expect((await fetch(`${look.url}/health`)).status).toBe(200);
  });

  it("gives the same text back for the tokens of a text", async () => {
    const look = await lookAlike();
    const text = " the quick, brown fox!";
    const encoded = await post(look, "/tokenize", { prompt: text, add_special_tokens: false });
    const { tokens, count } = (await encoded.json()) as { tokens: number[]; count: number };
    expect(count).toBe(tokens.length);
    expect(await (await post(look, "/detokenize", { tokens })).json()).toEqual({ prompt: text });
  });

  it("counts in /metrics what it streamed", async () => {
    const look = await lookAlike();
    const body = { prompt: [1, 2, 3], max_tokens: 5, ignore_eos: true, stream: true };
    await Promise.all([1, 2, 3].map(async () => events(await post(look, "/v1/completions", body))));
    const text = await (await fetch(`${look.url}/metrics`)).text();
    const value = (name: string) =>
      Number(new RegExp(`^${name}\\{engine="0",model_name="tiny"[^}]*\\} (\\S+)$`, "m").exec(text)?.[1]);
    expect(value("vllm:prompt_tokens_total")).toBe(9);
    expect(value("vllm:generation_tokens_total")).toBe(15);
    expect(value("vllm:time_to_first_token_seconds_count")).toBe(3);
    expect(value("vllm:inter_token_latency_seconds_count")).toBe(12);
    expect(text).toContain('finished_reason="length"} 3.0');
    expect(value("vllm:e2e_request_latency_seconds_sum")).toBeGreaterThan(0);
  });

  it("stops generating when the client hangs up", async () => {
    const look = await lookAlike();
    const abort = new AbortController();
    const body = { prompt: [1], max_tokens: 4000, ignore_eos: true, stream: true };
    const response = await fetch(`${look.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: abort.signal,
    });
    await response.body?.getReader().read();
    expect(look.engine.stats().running).toBe(1);
    abort.abort();
    while (look.engine.stats().running > 0) await systemClock.sleep(2);
    expect(look.engine.stats().running).toBe(0);
  });

  it("queues what goes beyond max_num_seqs", async () => {
    const look = await lookAlike({}, 1);
    const body = { prompt: [1], max_tokens: 30, ignore_eos: true, stream: true };
    const both = [1, 2].map(async () => events(await post(look, "/v1/completions", body)));
    while (look.engine.stats().waiting === 0) await systemClock.sleep(1);
    expect(look.engine.stats().running).toBe(1);
    expect((await Promise.all(both)).map((lines) => lines.at(-1))).toEqual(["data: [DONE]", "data: [DONE]"]);
  });

  it("ends open streams with finish_reason abort when it is told to stop", async () => {
    const look = await lookAlike();
    const response = await post(look, "/v1/completions", {
      prompt: [1],
      max_tokens: 4000,
      ignore_eos: true,
      stream: true,
    });
    const lines = events(response);
    await systemClock.sleep(20);
    await look.stop();
    const all = await lines;
    expect(all.at(-1)).toBe("data: [DONE]");
    expect(chunks(all).at(-1).choices[0].finish_reason).toBe("abort");
  });
});

import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTruthServer, type TruthServer } from "./truth-server.ts";

const TTFT_MS = 30;
const ITL_MS = 2;
let server: TruthServer;

beforeAll(async () => {
  server = await startTruthServer({ ttftMs: TTFT_MS, itlMs: ITL_MS });
});
afterAll(() => server[Symbol.asyncDispose]());

function post(path: string, body: object, init: RequestInit = {}): Promise<Response> {
  const headers = { "content-type": "application/json", ...init.headers };
  return fetch(`${server.baseUrl}${path}`, { ...init, method: "POST", headers, body: JSON.stringify(body) });
}

function chat(profile: string, changes: object = {}): Promise<Response> {
  return post("/v1/chat/completions", {
    model: `m@${profile}`,
    messages: [{ role: "user", content: "w1 w2 w3" }],
    max_tokens: 12,
    stream: true,
    stream_options: { include_usage: true },
    ...changes,
  });
}

interface Chunk {
  readonly id: string;
  readonly choices: readonly {
    readonly delta: Record<string, unknown>;
    readonly text?: string;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number };
  readonly error?: { readonly message: string };
}

/** The data of every event but [DONE], whatever ends its lines. */
function chunksOf(stream: string): Chunk[] {
  return stream
    .split(/\r?\n\r?\n/)
    .filter((event) => event.startsWith("data:") && !event.endsWith("[DONE]"))
    .map((event) => JSON.parse(event.slice(5)) as Chunk);
}

async function lastLogged() {
  const log = await server.log();
  const last = log.at(-1);
  if (last === undefined) throw new Error("nothing was logged");
  return last;
}

describe("truth server", () => {
  it("keeps an absolute schedule from the first byte of the request on", async () => {
    await (await chat("plain")).text();
    const { firstByteNs, writeNs, lateNs, ending } = await lastLogged();
    const dueMs = writeNs.map((write, at) => (write - lateNs[at]! - firstByteNs) / 1e6);
    expect(ending).toBe("complete");
    expect(dueMs).toEqual(Array.from({ length: 12 }, (_, at) => TTFT_MS + at * ITL_MS));
    expect(Math.min(...lateNs)).toBeGreaterThanOrEqual(0);
  });

  it("puts stream, sequence and the time of the write into the id of each event", async () => {
    const chunks = chunksOf(await (await chat("plain")).text());
    const { stream, writeNs } = await lastLogged();
    const ids = chunks.filter(({ choices }) => choices.length > 0).map(({ id }) => id);
    expect(ids).toEqual(writeNs.map((write, at) => `chatcmpl-${stream}-${at}-${write}`));
  });

  it("says which stream it is in the first two words", async () => {
    const chunks = chunksOf(await (await chat("plain")).text());
    const { stream } = await lastLogged();
    const text = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta["content"])).join("");
    expect(text.startsWith(` w${stream} w0 `)).toBe(true);
  });

  it("counts the prompt and the answer in its usage", async () => {
    const chunks = chunksOf(await (await chat("plain")).text());
    // Three words and what the template adds.
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 12 });
    const ids = await post("/v1/completions", { model: "m", prompt: [5, 6, 7], max_tokens: 2, stream: true });
    expect(await ids.text()).not.toContain('"usage"');
    expect(await lastLogged()).toMatchObject({ promptTokens: 3, sentTokens: 2, usageSent: false });
  });

  it("answers several requests over one connection", async () => {
    await (await chat("plain")).text();
    const first = await lastLogged();
    await (await chat("plain")).text();
    expect((await lastLogged()).connection).toBe(first.connection);
  });

  it("counts like vLLM in /metrics", async () => {
    const metric = async (name: string) => {
      const text = await (await fetch(`${server.baseUrl}/metrics`)).text();
      return Number(new RegExp(`^vllm:${name}(?:\\{.*\\})? (\\S+)$`, "m").exec(text)?.[1]);
    };
    const names = [
      "generation_tokens_total",
      "prompt_tokens_total",
      "request_success_total",
      "time_to_first_token_seconds_count",
    ];
    const before = await Promise.all(names.map(metric));
    await (await chat("plain")).text();
    const after = await Promise.all(names.map(metric));
    expect(after.map((value, at) => value - before[at]!)).toEqual([12, 7, 1, 1]);
    expect(await metric("num_requests_running")).toBe(0);
  });

  it("makes one token of one word", async () => {
    const tokenized = (await (await post("/tokenize", { prompt: " w3 w999 the the" })).json()) as { tokens: number[] };
    expect(tokenized.tokens.slice(0, 2)).toEqual([3, 999]);
    expect(tokenized.tokens[2]).toBe(tokenized.tokens[3]);
    expect(await (await post("/detokenize", { tokens: [3, 999] })).json()).toEqual({ prompt: " w3 w999" });
  });

  it("notices a client that goes away", async () => {
    const { hostname, port } = new URL(server.baseUrl);
    const body = JSON.stringify({ model: "m", prompt: "w1", max_tokens: 5000, stream: true });
    const socket = connect(Number(port), hostname);
    socket.write(`POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    await expect.poll(async () => (await lastLogged()).ending).toBe("aborted");
  });

  it.each([
    ["an unknown profile", "plain+none", 404],
    ["another one", "nonsense", 404],
  ])("refuses %s", async (_title, profile, status) => {
    expect((await chat(profile)).status).toBe(status);
  });

  it("refuses a body without a length, and goes on", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("{}"));
        controller.close();
      },
    });
    const init: RequestInit & { duplex: "half" } = { method: "POST", body, duplex: "half" };
    expect((await fetch(`${server.baseUrl}/v1/completions`, init)).status).toBe(400);
    expect((await fetch(`${server.baseUrl}/health`)).status).toBe(200);
  });
});

describe("truth server profiles", () => {
  const textOf = (chunks: readonly Chunk[], field: string) =>
    chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta[field])).filter((text) => text !== undefined);

  it("role-first sends an empty delta ahead", async () => {
    const chunks = chunksOf(await (await chat("role-first")).text());
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "" });
    expect((await lastLogged()).writeNs).toHaveLength(12);
  });

  it("multi puts several tokens into an event and says so when asked", async () => {
    const usage = { stream_options: { include_usage: true, continuous_usage_stats: true } };
    const chunks = chunksOf(await (await chat("multi", { max_tokens: 60, ...usage })).text());
    const { tokens } = await lastLogged();
    const counted = chunks.filter(({ choices }) => choices.length > 0).map((chunk) => chunk.usage?.completion_tokens);
    let sum = 0;
    expect(counted).toEqual(tokens.map((each) => (sum += each)));
    expect(sum).toBe(60);
    expect(tokens.length).toBeLessThan(60);
  });

  it("reasoning begins with reasoning_content, toolcall sends arguments", async () => {
    const reasoning = chunksOf(await (await chat("reasoning")).text());
    expect([textOf(reasoning, "reasoning_content"), textOf(reasoning, "content")].map((texts) => texts.length)).toEqual(
      [6, 6],
    );
    expect(textOf(chunksOf(await (await chat("toolcall")).text()), "tool_calls")).toHaveLength(12);
  });

  it.each([
    ["crlf", /^data: \{.*\}\r\n\r\ndata: /],
    ["nospace", /^data:\{.*\}\n\ndata:\{/],
    ["comments", /\n\n: ping\n\ndata: /],
    ["plain", /^data: \{.*\}\n\ndata: /],
  ])("%s is framed its own way", async (profile, framing) => {
    expect(await (await chat(profile)).text()).toMatch(framing);
  });

  it("split cuts events into several reads, inside characters too", async () => {
    const response = await chat("split");
    const reads: Uint8Array[] = [];
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) reads.push(bytes);
    const strict = new TextDecoder("utf-8", { fatal: true });
    const broken = reads.filter((bytes) => {
      try {
        strict.decode(bytes);
        return false;
      } catch {
        return true;
      }
    });
    expect(broken.length).toBeGreaterThan(0);
    const text = Buffer.concat(reads).toString();
    expect(textOf(chunksOf(text), "content")).toHaveLength(12);
    expect(text).toContain("🦊");
  });

  it("coalesce writes five events at once", async () => {
    await (await chat("coalesce")).text();
    const { writeNs } = await lastLogged();
    expect(writeNs).toHaveLength(12);
    expect(new Set(writeNs).size).toBe(3);
  });

  it("early-eos stops half way, no-usage counts nothing", async () => {
    const early = chunksOf(await (await chat("early-eos")).text());
    expect(early.at(-1)?.usage?.completion_tokens).toBe(6);
    expect(early.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(await (await chat("no-usage")).text()).not.toContain('"usage"');
  });

  it("midstream-error says so after half of the answer", async () => {
    const chunks = chunksOf(await (await chat("midstream-error")).text());
    expect(chunks.at(-1)?.error?.message).toContain("EngineCore");
    expect(await lastLogged()).toMatchObject({ ending: "error", faulty: true, sentTokens: 6 });
  });

  it("huge-event has one of 200 KiB", async () => {
    const texts = textOf(chunksOf(await (await chat("huge-event")).text()), "content") as string[];
    expect(texts.map((text) => text.length).filter((length) => length > 1000)).toEqual([200 * 1024]);
  });

  it("slow-headers holds the head back until the first token", async () => {
    await (await chat("slow-headers")).text();
    const { headersNs, firstByteNs, writeNs, lateNs } = await lastLogged();
    expect(headersNs - firstByteNs).toBeGreaterThanOrEqual(TTFT_MS * 1e6);
    expect(headersNs).toBeLessThanOrEqual(writeNs[0]!);
    expect(lateNs[0]).toBeGreaterThanOrEqual(0);
  });

  it.each([
    ["503", "refused", 10],
    ["rst", "reset", 20],
  ] as const)("%s hits one request in so many", async (profile, ending, every) => {
    const before = (await server.log()).length;
    const asked = Array.from({ length: 2 * every }, () =>
      chat(profile, { max_tokens: 2 })
        .then((response) => response.text())
        .catch(() => ""),
    );
    await Promise.all(asked);
    const mine = (await server.log()).slice(before);
    expect(mine.filter((request) => request.ending === ending)).toHaveLength(2);
    expect(mine.filter((request) => request.ending === "complete")).toHaveLength(2 * every - 2);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { benchWith } from "../fakes/bench-world.ts";
import { type FaultServer, startFaultServer } from "../fakes/fault-server.ts";

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const FILE = [
  '{"prompt":"w1 w2 w3","output_tokens":3}',
  '{"text":"w4 w5","output_length":4}',
  '{"prompt":"w6","output_tokens_count":5}',
  '{"messages":[{"role":"system","content":"w7"},{"role":"user","content":"w8"}],"max_tokens":6}',
  '{"body":{"messages":[{"role":"user","content":"w9"}]}}',
].join("\n");

/** Prompts and answer lengths as the server got them, without the request that only looks. */
async function sent(flags: Readonly<Record<string, string>>, files: Readonly<Record<string, string>>) {
  const before = server.bodies.length;
  const usual = { "num-prompts": "5", "max-concurrency": "1", "num-warmups": "0" };
  const { requests } = await benchWith(server.baseUrl, { ...usual, ...flags }, files);
  expect(requests.map(({ outcome }) => outcome)).toEqual(requests.map(() => "ok"));
  return server.bodies.slice(before + 1).map((body) => [body["prompt"] ?? body["messages"], body["max_tokens"]]);
}

describe("arc-vllm bench with a prompt file", () => {
  it("sends every dialect to /v1/completions as text", async () => {
    expect(await sent({ "dataset-path": "p.jsonl" }, { "p.jsonl": FILE })).toEqual([
      ["w1 w2 w3", 3],
      ["w4 w5", 4],
      ["w6", 5],
      ["w7\nw8", 6],
      ["w9", 256],
    ]);
  });

  it("sends every dialect to a chat as messages, all of one length when that is asked for", async () => {
    const flags = { backend: "openai-chat", "dataset-name": "custom", "custom-output-len": "2" };
    const user = (content: string) => ({ role: "user", content });
    expect(await sent({ ...flags, "dataset-path": "p.jsonl" }, { "p.jsonl": FILE })).toEqual([
      [[user("w1 w2 w3")], 2],
      [[user("w4 w5")], 2],
      [[user("w6")], 2],
      [[{ role: "system", content: "w7" }, user("w8")], 2],
      [[user("w9")], 2],
    ]);
  });

  it("asks for answers as long as those of ShareGPT, in the server's own tokens", async () => {
    const turn = (from: string, words: number) => ({
      from,
      value: Array.from({ length: words }, () => "w1").join(" "),
    });
    const conversations = [5, 3, 7, 9].map((words) => ({
      conversations: [turn("human", 4), turn("gpt", words), turn("human", 1)],
    }));
    const flags = { "dataset-name": "sharegpt", "dataset-path": "s.json", "num-prompts": "3" };
    const lengths = (await sent(flags, { "s.json": JSON.stringify(conversations) })).map(([, tokens]) => tokens);
    // The one with an answer of 3 tokens is left out, as vLLM does.
    expect(lengths).toEqual([5, 7, 9]);
  });

  it("names the file and the line that is wrong before anything is sent", async () => {
    const before = server.bodies.length;
    const wrong = benchWith(
      server.baseUrl,
      { "dataset-path": "p.jsonl" },
      { "p.jsonl": '{"prompt":"a"}\n{"prompt":1}' },
    );
    await expect(wrong).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringContaining('Cannot read prompts from "p.jsonl:2"'),
    });
    await expect(benchWith(server.baseUrl, { "dataset-path": "none.jsonl" })).rejects.toMatchObject({
      message: 'Cannot read prompts from "none.jsonl": there is no such file, a file is wanted',
    });
    expect(server.bodies.length).toBe(before);
  });
});

import { createHash } from "node:crypto";
import type { Endpoint } from "../config/run-config.ts";
import type { OutputProbe } from "../measure/load-point.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import type { ServerAddress } from "../prompts/server-tokenizer.ts";

const PROMPT = "Name the planets of the solar system in order, and one fact about each of them.";
const MAX_TOKENS = 32;
const SAMPLE_CHARACTERS = 200;

/** A text is called broken when one character makes up this share of it: "!!!!" is what a NaN in fp16 looks like. */
const REPEATED_SHARE = 0.8;
const UNDECODABLE_SHARE = 0.2;
const LEAST_CHARACTERS = 8;

/** Asks for a greedy answer to a fixed prompt, whole and without load. Null when the server does not answer so. */
export async function probeOutput(
  models: ModelStream,
  server: ServerAddress,
  endpoint: Endpoint,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<OutputProbe | null> {
  const input = endpoint === "/v1/completions" ? { prompt: PROMPT } : { messages: [{ role: "user", content: PROMPT }] };
  const question = { model: server.model, ...input, max_tokens: MAX_TOKENS, temperature: 0, seed: 0 };
  try {
    const answer = await models.ask(
      {
        method: "POST",
        url: `${server.baseUrl}${endpoint}`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(question),
        ...(server.apiKey === null ? {} : { apiKey: server.apiKey }),
      },
      limits,
    );
    const text = answer.status === 200 ? textOf(answer.body) : null;
    return text === null ? null : outputProbeOf(text);
  } catch {
    return null;
  }
}

/** Judges the text of a probe. */
export function outputProbeOf(text: string): OutputProbe {
  return {
    sha256: createHash("sha256").update(text).digest("hex"),
    sample: text.slice(0, SAMPLE_CHARACTERS),
    problems: problemsOf(text),
  };
}

function problemsOf(text: string): string[] {
  const characters = [...text.trim()];
  if (characters.length === 0) return ["the answer is empty"];
  if (characters.length < LEAST_CHARACTERS) return [];
  const counts = new Map<string, number>();
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  const [common, count] = [...counts].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
  if (common === "\ufffd" && count >= UNDECODABLE_SHARE * characters.length)
    return ["the answer is not valid UTF-8 text"];
  return count >= REPEATED_SHARE * characters.length ? [`the answer repeats ${JSON.stringify(common)}`] : [];
}

function textOf(body: string): string | null {
  try {
    const { choices } = JSON.parse(body) as { choices?: { text?: unknown; message?: Record<string, unknown> }[] };
    const { text, message } = choices?.[0] ?? {};
    const said = text ?? message?.["content"] ?? message?.["reasoning_content"] ?? message?.["reasoning"];
    return typeof said === "string" ? said : null;
  } catch {
    return null;
  }
}

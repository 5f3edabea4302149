import { sseParser } from "./sse-parser.ts";

/** Keeps the bytes of one answer, to read its text when it is over. */
export interface AnswerText {
  /** Takes the bytes from `start` to before `end`; the buffer may be used again afterwards. */
  push(bytes: Uint8Array, start: number, end: number): void;
  /** What the answer says; reasoning is left out, as clients leave it out of the history that they send back. */
  read(): string;
}

/** Nothing is parsed while the answer comes: reading it must not disturb the measuring of it. */
export function answerText(): AnswerText {
  const parts: Uint8Array[] = [];
  return {
    // Not `slice`, which shares the memory of a Buffer.
    push: (bytes, start, end) => void parts.push(new Uint8Array(bytes.subarray(start, end))),
    read() {
      let text = "";
      const parser = sseParser((bytes, start, end) => {
        text += textOf(bytes.toString("utf8", start, end));
      });
      for (const part of parts) parser.push(part);
      return text;
    },
  };
}

interface Chunk {
  readonly choices?: readonly { readonly text?: unknown; readonly delta?: { readonly content?: unknown } }[];
}

function textOf(data: string): string {
  if (!data.startsWith("{")) return "";
  try {
    const [choice] = (JSON.parse(data) as Chunk).choices ?? [];
    const text = choice?.delta?.content ?? choice?.text;
    return typeof text === "string" ? text : "";
  } catch {
    // What is no chunk has made the request fail already.
    return "";
  }
}

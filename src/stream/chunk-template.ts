import type { OpenAiChunk } from "./openai-chunk.ts";

/** The shape of a chunk, learned from one that was parsed. */
export interface ChunkTemplate {
  /**
   * What the chunk in this range carries, known without parsing it; undefined: it is of another shape. A range that
   * matches is one line.
   */
  match(bytes: Uint8Array, start: number, end: number): OpenAiChunk["carries"] | undefined;
}

const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
const VISIBLE = new Set(["text", "content", "refusal"]);
const REASONING = new Set(["reasoning", "reasoning_content"]);
/** Their values decide more than whether something is carried: chunks that have them are always parsed. */
const DECISIVE = /"(usage|error|token_ids|tool_calls|function_call|finish_reason)"\s*:\s*(?!null)/;
const LINE_END = /[\r\n]/;

/**
 * The chunks of a stream are alike but for their text, their id and their numbers. A template is the bytes of one
 * chunk with a hole for every string and number, so that the next chunks are compared instead of parsed: the bytes
 * between the holes are equal, hence the structure, the keys and every null are. Null when the chunk has something
 * that must be read, or more than one field that could carry a token. `text` is the chunk with one character for each byte.
 */
export function chunkTemplate(text: string): ChunkTemplate | null {
  if (DECISIVE.test(text) || LINE_END.test(text) || !text.includes('"choices"')) return null;
  const { pieces, holes } = cut(text);
  const carriers = holes.filter(({ key }) => VISIBLE.has(key) || REASONING.has(key));
  const [carrier] = carriers;
  if (carrier === undefined || carriers.length > 1) return null;
  const carried = VISIBLE.has(carrier.key) ? "visible" : "reasoning";
  return matcher(
    pieces.map((piece) => Buffer.from(piece, "latin1")),
    holes.map(({ isString }) => isString),
    holes.indexOf(carrier),
    carried,
  );
}

interface Hole {
  /** Key of the value; empty inside a list. */
  readonly key: string;
  readonly isString: boolean;
}

/** A key stays in the text around the holes; what follows a string is looked at to know whether it is one. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)/g;

function cut(text: string): { pieces: string[]; holes: Hole[] } {
  const pieces: string[] = [];
  const holes: Hole[] = [];
  let from = 0;
  let key = "";
  for (const { 0: token, 1: string, 2: colon, index } of text.matchAll(TOKEN)) {
    if (colon !== undefined) {
      key = (string ?? "").slice(1, -1);
      continue;
    }
    const isString = string !== undefined;
    // The quotes belong to the text around a hole.
    pieces.push(text.slice(from, isString ? index + 1 : index));
    from = index + token.length - (isString ? 1 : 0);
    holes.push({ key, isString });
    key = "";
  }
  return { pieces: [...pieces, text.slice(from)], holes };
}

/** There is one piece more than there are holes. */
function matcher(
  pieces: readonly Buffer[],
  isString: readonly boolean[],
  carrier: number,
  carried: "visible" | "reasoning",
): ChunkTemplate {
  return {
    match(bytes, start, end) {
      let at = afterPiece(bytes, start, pieces[0] as Buffer);
      let carries: OpenAiChunk["carries"] = null;
      for (let hole = 0; at !== -1 && hole < isString.length; hole += 1) {
        const holeEnd = isString[hole] === true ? endOfString(bytes, at, end) : endOfNumber(bytes, at, end);
        if (hole === carrier && holeEnd > at) carries = carried;
        at = afterPiece(bytes, holeEnd, pieces[hole + 1] as Buffer);
      }
      return at === end ? carries : undefined;
    },
  };
}

/** Where a piece that has to stand at `from` ends; -1 when something else stands there. */
function afterPiece(bytes: Uint8Array, from: number, piece: Buffer): number {
  for (let at = 0; at < piece.length; at += 1) if (bytes[from + at] !== piece[at]) return -1;
  return from + piece.length;
}

/** Where the closing quote is; the end, or a control character, when there is none: JSON allows none in a string. */
function endOfString(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const byte = bytes[at] as number;
    if (byte === QUOTE || byte < SPACE) break;
    at += byte === BACKSLASH && (bytes[at + 1] as number) >= SPACE ? 2 : 1;
  }
  return at;
}

function endOfNumber(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isNumeric(bytes[at] as number)) at += 1;
  return at;
}

/** 0-9 + - . e E */
function isNumeric(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || byte === 43 || byte === 45 || byte === 46 || byte === 69 || byte === 101;
}

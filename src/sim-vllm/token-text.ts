/**
 * A tokenizer stand-in: text is cut at words, and each piece gets an id of its own below the vocabulary size, so that
 * counts, ids and round trips behave as with a real one though the pieces differ.
 */
export interface TokenText {
  encode(text: string, options?: { addSpecial: boolean }): number[];
  decode(tokens: readonly number[]): string;
  /** The piece at one place of an answer. The same prompt continues alike every time. */
  generate(promptTokens: readonly number[], index: number): { token: number; text: string };
}

const WORDS =
  " the of and to in a is that it was for on are as with his they at be this from have or by one had not but what all were when we there can an your which their said if do will each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only way find use may water long little very after words called just where most know";

/** The special tokens sit at the end of Llama-3's table; ids below this stay free for them. */
const RESERVED = 256;

export function tokenText(vocabSize: number, beginOfText: number | null): TokenText {
  const words = WORDS.split(" ").slice(1);
  const pieces = new Map<number, string>();
  const remember = (piece: string): number => {
    for (
      let id = RESERVED + (hash(piece) % (vocabSize - 2 * RESERVED));
      ;
      id = RESERVED + ((id + 1) % (vocabSize - 2 * RESERVED))
    ) {
      const known = pieces.get(id);
      if (known === undefined) pieces.set(id, piece);
      if (known === undefined || known === piece) return id;
    }
  };
  const ids = words.map((word) => remember(` ${word}`));

  return {
    encode(text, { addSpecial } = { addSpecial: true }) {
      const body = (text.match(/ ?[\p{L}\p{N}_]+| ?[^\s\p{L}\p{N}_]|\s+/gu) ?? []).map(remember);
      return addSpecial && beginOfText !== null ? [beginOfText, ...body] : body;
    },
    decode: (tokens) => tokens.map((token) => pieces.get(token) ?? wordOf(words, token)).join(""),
    generate(promptTokens, index) {
      const at = hash(`${promptTokens.length}:${promptTokens.at(-1)}:${promptTokens[0]}:${index}`) % words.length;
      return { token: ids[at] as number, text: ` ${words[at]}` };
    },
  };
}

function wordOf(words: readonly string[], token: number): string {
  return ` ${words[token % words.length]}`;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return value;
}

/** Answer of /tokenize: a word is a token, and the template of a chat adds three. */
export function tokenize(body: {
  readonly prompt?: string;
  readonly messages?: readonly { readonly content: string }[];
}): { count: number; max_model_len: number; tokens: number[] } {
  const messages = body.messages ?? [];
  const text = body.prompt ?? `${"<s> ".repeat(3)}${messages.map(({ content }) => content).join(" ")}`;
  const words = text.trim() === "" ? [] : text.trim().split(/\s+/);
  return { count: words.length, max_model_len: 4096, tokens: words.map(tokenOf) };
}

/** Ids of a vocabulary from 300 to 1199. */
function tokenOf(word: string): number {
  return 300 + ([...word].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 900);
}

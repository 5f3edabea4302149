/** Texts that are secrets whatever their name says, with the word for each. */
export const SECRET_PATTERNS: readonly { readonly kind: string; readonly pattern: RegExp }[] = [
  {
    kind: "private key",
    pattern: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z0-9 ]*PRIVATE KEY-----)?/,
  },
  { kind: "Hugging Face token", pattern: /\bhf_[A-Za-z0-9]{20,}/ },
  { kind: "GitHub token", pattern: /\b(?:gh[pousr]_[A-Za-z0-9_.-]{20,}|github_pat_[A-Za-z0-9_]{20,})/ },
  { kind: "API key", pattern: /\bsk-[A-Za-z0-9_-]{20,}/ },
  { kind: "AWS access key", pattern: /\bAKIA[A-Z0-9]{16}\b/ },
  { kind: "bearer token", pattern: /\bBearer +[A-Za-z0-9._~+/-]{8,}=*/i },
];

/** What kind of secret a text holds, or null. */
export function secretKindOf(text: string): string | null {
  return SECRET_PATTERNS.find(({ pattern }) => pattern.test(text))?.kind ?? null;
}

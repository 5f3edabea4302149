import { distance } from "fastest-levenshtein";
import { type EngineDialect, type FlagRule, OWNED_FLAGS, SHORT_FLAGS } from "./engine-dialect.ts";
import { IPEX_LLM_DIALECT } from "./engine-dialect-ipex-llm.ts";
import { VLLM_DIALECT } from "./engine-dialect-vllm.ts";
import { relationProblems } from "./engine-flag-relations.ts";
import type { FlagProblem, Flags } from "./flag-problem.ts";
import type { FlagValue } from "./run-config.ts";

export type LaunchedEngine = "ipex-llm" | "vllm";

/** Checks engine flags against the engine's dialect and against each other, before any host is touched. */
export function checkFlags(
  engine: LaunchedEngine,
  flags: Flags,
  cards: readonly number[] | null = null,
): FlagProblem[] {
  const dialect = DIALECTS[engine];
  const single = Object.entries(flags).flatMap(([flag, value]) => problemOf(dialect, flag, value));
  // Relations between flags mean nothing while one of them is wrong by itself.
  if (single.some(({ severity }) => severity === "error")) return single;
  return [...single, ...relationProblems(dialect, { ...dialect.defaults, ...flags }, cards)];
}

/** Engine flags as words of a command line, with the engine's defaults first. Flags must have passed `checkFlags`. */
export function toArgv(engine: LaunchedEngine, flags: Flags): string[] {
  const dialect = DIALECTS[engine];
  const merged = { ...dialect.defaults, ...flags };
  return Object.entries(merged).flatMap(([flag, value]) => wordsOf(dialect.flags[flag], flag, value));
}

const DIALECTS: Readonly<Record<LaunchedEngine, EngineDialect>> = { "ipex-llm": IPEX_LLM_DIALECT, vllm: VLLM_DIALECT };

function problemOf(dialect: EngineDialect, flag: string, value: FlagValue): FlagProblem[] {
  const problem = { severity: "error", flag, value: String(value), nearest: null } as const;

  const owner = OWNED_FLAGS[flag];
  // The value is not repeated: one of these flags is a secret.
  if (owner !== undefined) return [{ ...problem, value: "…", wanted: `"${owner}" instead of a flag` }];

  const instead = dialect.refused[flag];
  if (instead !== undefined) return [{ ...problem, wanted: `no such flag for ${dialect.title}: ${instead}` }];

  const rule = dialect.flags[flag];
  if (rule === undefined) return unknownFlag(dialect, flag, value);

  const wanted = wantedBy(rule, value);
  if (wanted === null) return [];
  return [{ ...problem, wanted, nearest: rule.kind === "choice" ? nearest(String(value), rule.values) : null }];
}

function unknownFlag(dialect: EngineDialect, flag: string, value: FlagValue): FlagProblem[] {
  const bare = flag.replace(/^-+/, "").replaceAll("_", "-");
  const problem = {
    flag,
    value: String(value),
    unknown: true as const,
    nearest: SHORT_FLAGS[bare] ?? nearest(bare, Object.keys(dialect.flags)),
  };
  if (dialect.unknown === "error") return [{ ...problem, severity: "error", wanted: `a flag of ${dialect.title}` }];
  if (!/^[a-z][a-z0-9.-]*$/i.test(flag)) {
    return [{ ...problem, severity: "error", wanted: "a flag name without leading dashes" }];
  }
  if (hasLineBreak(value)) return [{ ...problem, severity: "error", wanted: "one line of text" }];
  const wanted = `a flag that this version knows; it is passed to ${dialect.title} unchecked`;
  return [{ ...problem, severity: "warning", wanted }];
}

/** What the rule wants when the value breaks it; null when the value is good. */
function wantedBy(rule: FlagRule, value: FlagValue): string | null {
  return accepts(rule, value) ? null : wantedText(rule);
}

function accepts(rule: FlagRule, value: FlagValue): boolean {
  const written = String(value);
  switch (rule.kind) {
    case "integer":
      return /^\d+$/.test(written) && inRange(rule, value);
    case "number":
      return /^\d+(\.\d+)?$/.test(written) && inRange(rule, value);
    case "choice":
      return rule.values.includes(written);
    case "pattern":
      return rule.pattern.test(written);
    case "json":
      return isJsonObject(value);
    case "text":
      return typeof value !== "boolean" && value !== "" && !hasLineBreak(value);
    default:
      return typeof value === "boolean";
  }
}

function wantedText(rule: FlagRule): string {
  switch (rule.kind) {
    case "integer":
      return `an integer ${rangeText(rule)}`;
    case "number":
      return `a number ${rangeText(rule)}`;
    case "choice":
      return `one of ${rule.values.join(", ")}`;
    case "pattern":
      return rule.wanted;
    case "json":
      return "a JSON object on one line";
    case "text":
      return "one line of text";
    default:
      return "true or false";
  }
}

function inRange(rule: { min: number; max?: number }, value: FlagValue): boolean {
  return Number(value) >= rule.min && Number(value) <= (rule.max ?? Number.MAX_SAFE_INTEGER);
}

function rangeText(rule: { min: number; max?: number }): string {
  return rule.max === undefined ? `of ${rule.min} or more` : `from ${rule.min} to ${rule.max}`;
}

function isJsonObject(value: FlagValue): boolean {
  if (typeof value !== "string" || hasLineBreak(value)) return false;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null;
  } catch {
    return false;
  }
}

/** Words travel to the host one per line, so a line break (or NUL) cannot be part of one. */
function hasLineBreak(value: FlagValue): boolean {
  return /[\n\r\0]/.test(String(value));
}

function wordsOf(rule: FlagRule | undefined, flag: string, value: FlagValue): string[] {
  if (typeof value === "boolean") {
    if (rule?.kind === "boolean-word") return [`--${flag}`, String(value)];
    if (value) return [`--${flag}`];
    return rule?.kind === "switch" ? [] : [`--no-${flag}`];
  }
  // argparse takes a word that begins with a dash for the next flag.
  return String(value).startsWith("-") ? [`--${flag}=${value}`] : [`--${flag}`, String(value)];
}

function nearest(word: string, known: readonly string[]): string | null {
  const best = known
    .map((name) => ({ name, edits: distance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits)[0];
  return best !== undefined && best.edits <= Math.max(2, best.name.length / 3) ? best.name : null;
}

import type { FlagValue } from "./run-config.ts";

/** What one flag of an engine accepts, and how it is written on the command line. */
export type FlagRule =
  /** `--flag` when true, left out when false. */
  | { readonly kind: "switch" }
  /** `--flag` when true, `--no-flag` when false (argparse BooleanOptionalAction). */
  | { readonly kind: "toggle" }
  /** `--flag true` or `--flag false` (vLLM's StoreBoolean before 0.9). */
  | { readonly kind: "boolean-word" }
  | { readonly kind: "integer"; readonly min: number; readonly max?: number }
  | { readonly kind: "number"; readonly min: number; readonly max?: number }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | { readonly kind: "pattern"; readonly pattern: RegExp; readonly wanted: string }
  | { readonly kind: "json" }
  | { readonly kind: "text" };

/** The flags of one engine as data. */
export interface EngineDialect {
  /** Name for messages. */
  readonly title: string;
  readonly flags: Readonly<Record<string, FlagRule>>;
  /** Flags that this engine does not have though another one does, with what to do instead. */
  readonly refused: Readonly<Record<string, string>>;
  /** Added to the command line unless the configuration says otherwise. */
  readonly defaults: Readonly<Record<string, FlagValue>>;
  /** A flag that is not in the table: refused for a frozen engine, passed on with a warning for one that moves. */
  readonly unknown: "error" | "warning";
  /** Prefill is cut into chunks unless a flag says otherwise, so a batch may be smaller than the longest prompt. */
  readonly chunkedPrefillByDefault: boolean;
}

/** Flags that the configuration sets by a field of its own, for every engine that we start. */
export const OWNED_FLAGS: Readonly<Record<string, string>> = {
  model: "serve.model",
  "served-model-name": "serve.served-model-name",
  port: "serve.port",
  host: "serve.bind",
  "api-key": "serve.api-key-env",
};

/** Short names that people know from the command line. */
export const SHORT_FLAGS: Readonly<Record<string, string>> = {
  tp: "tensor-parallel-size",
  pp: "pipeline-parallel-size",
  dp: "data-parallel-size",
  q: "quantization",
  "gpu-memory-util": "gpu-memory-utilization",
};

export const toggle = { kind: "toggle" } as const;
export const onOff = { kind: "switch" } as const;
export const text = { kind: "text" } as const;
export const json = { kind: "json" } as const;

export function choice(...values: string[]): FlagRule {
  return { kind: "choice", values };
}

export function integer(min: number, max?: number): FlagRule {
  return max === undefined ? { kind: "integer", min } : { kind: "integer", min, max };
}

export function number(min: number, max?: number): FlagRule {
  return max === undefined ? { kind: "number", min } : { kind: "number", min, max };
}

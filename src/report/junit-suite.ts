/** JUnit as data; `renderJunit` turns it into XML. */
export interface JunitSuite {
  readonly name: string;
  /** ISO 8601; null leaves the attribute out. */
  readonly timestamp: string | null;
  readonly cases: readonly JunitCase[];
}

export interface JunitCase {
  /** Dots separate levels for the viewers that draw a tree; no level holds one itself. */
  readonly classname: string;
  /** Stable from run to run: no number that varies, or viewers lose its history. */
  readonly name: string;
  /** Wall time that was measured, never the metric. */
  readonly seconds: number;
  readonly outcome: JunitOutcome;
  readonly properties: readonly (readonly [name: string, value: string])[];
  readonly systemOut: string | null;
}

export type JunitOutcome =
  | { readonly kind: "passed" }
  | { readonly kind: "skipped"; readonly message: string }
  | { readonly kind: "failure" | "error"; readonly type: string; readonly message: string; readonly text: string };

/** One level of a classname: "Llama-3.1 8B" becomes "Llama-3-1-8B". */
export function classnamePart(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "unnamed";
}

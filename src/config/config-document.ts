import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";

export type Path = readonly PropertyKey[];

/** A YAML text as plain values, with the place of each. */
export interface ConfigDocument {
  readonly value: unknown;
  /** What makes the text no YAML; `value` means nothing then. */
  readonly syntaxProblems: readonly { readonly place: string; readonly text: string }[];
  /** "line:column" of a value, or of its key; of the nearest enclosing thing when there is none. */
  placeOf(path: Path, what: "key" | "value"): string;
}

/** Reads YAML 1.2 without ever throwing: whatever is wrong with the text comes back as problems with places. */
export function openConfigDocument(text: string): ConfigDocument {
  if (text.length > LARGEST) return broken("1:1", `larger than ${LARGEST / 1024} KiB`);
  const counter = new LineCounter();
  try {
    // Our messages carry places already; `logLevel` keeps the library from writing to the process by itself.
    const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, logLevel: "error" });
    const syntaxProblems = [...document.errors, ...document.warnings].map((error) => ({
      place: placeAt(counter, error.pos[0]),
      text: describe(error.code, error.message),
    }));
    syntaxProblems.push(...selfReferences(document, counter));
    if (syntaxProblems.length > 0) return { ...broken("1:1", ""), syntaxProblems };
    keepWrittenText(document);
    return {
      value: document.toJS({ maxAliasCount: 100 }),
      syntaxProblems: [],
      placeOf: (path, what) => placeAt(counter, offsetOf(document, path, what)),
    };
  } catch (error) {
    // The parser recurses, and alias limits are thrown: both are about the text, not about us.
    if (error instanceof RangeError) return broken("1:1", "nested too deeply");
    if (error instanceof ReferenceError) return broken("1:1", "too many aliases");
    throw error;
  }
}

const LARGEST = 1024 * 1024;

/** Sections whose values are texts in the end: 1.0 must not become 1, nor 010 become 10. */
const TEXT_MAPS: readonly (readonly string[])[] = [
  ["serve", "env"],
  ["playbook", "vars"],
];

function keepWrittenText(document: Document): void {
  for (const path of TEXT_MAPS) {
    const map = document.getIn(path);
    if (!isMap(map)) continue;
    visit(map, {
      Scalar(_key, node) {
        if (typeof node.value === "number" && node.source !== undefined) node.value = node.source;
      },
    });
  }
}

/** An alias inside what it names makes data without an end. */
function selfReferences(document: Document, counter: LineCounter): { place: string; text: string }[] {
  const found: { place: string; text: string }[] = [];
  visit(document, {
    Alias(_key, alias, ancestors) {
      const target = alias.resolve(document);
      if (target === undefined || !ancestors.includes(target)) return;
      found.push({ place: placeAt(counter, alias.range?.[0] ?? 0), text: "an alias inside what it names" });
    },
  });
  return found;
}

function offsetOf(document: Document, path: Path, what: "key" | "value"): number {
  let node: Node | null = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const found = stepInto(node, step, document);
    if (found === null) return offset;
    const wantsKey = what === "key" && depth === path.length - 1;
    offset = startOf(wantsKey ? found.key : found.value) ?? startOf(found.key) ?? offset;
    node = found.value;
  }
  return offset;
}

function stepInto(from: Node | null, step: PropertyKey, document: Document) {
  const node = isAlias(from) ? (from.resolve(document) ?? null) : from;
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return isNode(item) ? { key: item, value: item } : null;
  }
  if (!isMap(node)) return null;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value ?? "") === String(step));
  if (pair === undefined) return null;
  return { key: isNode(pair.key) ? pair.key : null, value: isNode(pair.value) ? pair.value : null };
}

/** An empty value has a place too, but an unhelpful one: after its key. */
function startOf(node: Node | null): number | null {
  if (node?.range === undefined || node.range === null) return null;
  return isScalar(node) && node.source === "" && node.type === "PLAIN" ? null : node.range[0];
}

function placeAt(counter: LineCounter, offset: number): string {
  const { line, col } = counter.linePos(offset);
  return line === 0 ? "1:1" : `${line}:${col}`;
}

function describe(code: string, message: string): string {
  return SYNTAX_WORDS[code] ?? message;
}

/** Better words than the parser's for what people run into. */
const SYNTAX_WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "a tab in the indentation, use spaces",
  DUPLICATE_KEY: "the same key twice in one map",
  MULTIPLE_DOCS: "a second document, only one is read",
};

function broken(place: string, text: string): ConfigDocument {
  return { value: null, syntaxProblems: [{ place, text }], placeOf: () => place };
}

/**
 * The beginning of a JSONL file or of one JSON list, with the first `limit` rows whole and the list closed behind them:
 * ShareGPT's usual file has 640 MB, which is more than a string of JavaScript holds, and a benchmark needs a part of it.
 */
export async function jsonHead(chunks: AsyncIterable<string>, limit: number): Promise<string> {
  let text = "";
  let rows: RowCounter | null = null;
  for await (const chunk of chunks) {
    rows ??= counterFor(chunk);
    const end = rows?.endIn(chunk, limit) ?? null;
    if (rows !== null && end !== null) return text + chunk.slice(0, end) + rows.closing;
    text += chunk;
  }
  return text;
}

interface RowCounter {
  /** Counts on, and says where in this chunk the row ends that is the last one wanted; null: not in this chunk. */
  endIn(chunk: string, limit: number): number | null;
  /** What has to follow the last row. */
  readonly closing: string;
}

/** Null for a chunk that is blank: what the file is shows later. */
function counterFor(chunk: string): RowCounter | null {
  const start = chunk.trimStart();
  if (start === "") return null;
  return start.startsWith("[") ? listCounter() : lineCounter();
}

function lineCounter(): RowCounter {
  let rows = 0;
  let isBlank = true;
  return {
    closing: "",
    endIn(chunk, limit) {
      for (let at = 0; at < chunk.length; at += 1) {
        if (chunk[at] !== "\n") {
          isBlank &&= chunk.charAt(at).trim() === "";
          continue;
        }
        if (!isBlank) rows += 1;
        isBlank = true;
        if (rows === limit) return at;
      }
      return null;
    },
  };
}

/** A row is an entry of the list that is an object. */
function listCounter(): RowCounter {
  const step = depthSteps();
  let rows = 0;
  let depth = 0;
  return {
    closing: "]",
    endIn(chunk, limit) {
      for (let at = 0; at < chunk.length; at += 1) {
        const letter = chunk.charAt(at);
        const by = step(letter);
        depth += by;
        if (by < 0 && depth === 1 && letter === "}") rows += 1;
        if (rows === limit && depth === 1) return at + 1;
      }
      return null;
    },
  };
}

/** Tells by how much each letter of a JSON text goes deeper; brackets inside strings do not count. */
function depthSteps(): (letter: string) => number {
  let isInString = false;
  let isEscaped = false;
  return (letter) => {
    if (isInString) {
      isInString = isEscaped || letter !== '"';
      isEscaped = !isEscaped && letter === "\\";
      return 0;
    }
    isInString = letter === '"';
    if (letter === "{" || letter === "[") return 1;
    return letter === "}" || letter === "]" ? -1 : 0;
  };
}

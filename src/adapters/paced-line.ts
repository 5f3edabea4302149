/** Lets a line through at most every 15 s: what a log without rewriting shows of something that changes all the time. */
export function pacedLine(print: (line: string) => void, nowMs: () => number): (line: string) => void {
  let printedAtMs = Number.NEGATIVE_INFINITY;
  let printed: string | null = null;
  return (line) => {
    if (line === printed || nowMs() - printedAtMs < PROGRESS_EVERY_MS) return;
    printedAtMs = nowMs();
    printed = line;
    print(line);
  };
}

const PROGRESS_EVERY_MS = 15_000;

import { StringDecoder } from "node:string_decoder";
import { START_LINE } from "../core/script-frame.ts";

export interface ScriptOutput {
  /** True once the host has said that it runs the script. */
  hasStarted(): boolean;
  push(chunk: Buffer): void;
  /** Hands over a last line without newline. No `push` after it. */
  finish(): void;
  /** The script's output. Very long output lacks its middle, which a line in its place says. */
  text(): string;
  /** What the login shell printed before the script. */
  noise(): string;
}

/**
 * Collects one output stream of a script: UTF-8 cut anywhere, lines as they come, memory bounded. What comes before
 * `START_LINE` is kept apart, since it was printed by the login shell and its start-up files.
 */
export function collectOutput(onLine: (line: string) => void, maxLength = MAX_LENGTH): ScriptOutput {
  const decoder = new StringDecoder("utf8");
  const kept = keepEnds(maxLength);
  let noise = "";
  let started = false;
  let line = "";

  function take(text: string): void {
    kept.add(text);
    const pieces = text.split("\n");
    for (const piece of pieces.slice(0, -1)) {
      onLine(withoutReturn(line + piece));
      line = "";
    }
    line += pieces.at(-1) ?? "";
    if (line.length > MAX_LINE) {
      onLine(line);
      line = "";
    }
  }

  function decoded(text: string): void {
    if (started) {
      take(text);
      return;
    }
    noise += text;
    const at = noise.indexOf(`${START_LINE}\n`);
    if (at === -1) {
      noise = noise.slice(-MAX_NOISE);
      return;
    }
    started = true;
    const rest = noise.slice(at + START_LINE.length + 1);
    noise = noise.slice(0, at);
    take(rest);
  }

  return {
    hasStarted: () => started,
    push: (chunk) => decoded(decoder.write(chunk)),
    finish() {
      decoded(decoder.end());
      if (line !== "") onLine(withoutReturn(line));
      line = "";
    },
    text: kept.text,
    noise: () => noise,
  };
}

/** In UTF-16 units, per stream. */
const MAX_LENGTH = 8 * 1024 * 1024;
const MAX_NOISE = 64 * 1024;
/** A longer line is handed over in pieces. */
const MAX_LINE = 1024 * 1024;

/** Keeps the first half and the last half of what it may keep: causes stand at the start, errors at the end. */
function keepEnds(maxLength: number): { add(text: string): void; text(): string } {
  const half = maxLength / 2;
  let head = "";
  let tail: string[] = [];
  let tailLength = 0;
  let left = 0;

  return {
    add(text) {
      const room = Math.max(0, half - head.length);
      head += text.slice(0, room);
      if (text.length <= room) return;
      tail.push(text.slice(room));
      tailLength += text.length - room;
      while (tailLength - (tail[0]?.length ?? 0) > half) {
        const dropped = tail.shift()?.length ?? 0;
        tailLength -= dropped;
        left += dropped;
      }
      if (tail.length > 4096) tail = [tail.join("")];
    },
    text: () => (left === 0 ? head + tail.join("") : `${head}\n[${left} characters left out]\n${tail.join("")}`),
  };
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

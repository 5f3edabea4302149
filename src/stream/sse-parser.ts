import { lineSplitter } from "./line-splitter.ts";

/**
 * Takes one dispatched event: its data is the range of `bytes`, in UTF-8, only valid during the call. `type` is
 * "message" unless the stream named another; `lastEventId` the last `id` of the stream. No object is made for an event.
 */
export type OnSseEvent = (bytes: Buffer, start: number, end: number, type: string, lastEventId: string) => void;

export interface SseParser {
  /**
   * Hands over every event that the bytes from `start` to before `end` complete. Throws SseLimitError when an event
   * outgrows the limit.
   */
  push(bytes: Uint8Array, start?: number, end?: number): void;
  /** Nothing is begun: what comes next begins another event. */
  isBetweenEvents(): boolean;
  /** Forgets the stream: what comes next begins another one. */
  reset(): void;
  /** Bytes of an event that is not complete yet; at the end of a stream the standard says to discard them. */
  readonly pendingBytes: number;
}

/** An event larger than we are willing to hold. */
export class SseLimitError extends Error {
  override readonly name = "SseLimitError";
}

const COLON = 58;
const SPACE = 32;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const NOTHING = Buffer.alloc(0);
const NEWLINE = Buffer.from("\n");
/** A 200 KiB event is legitimate (a tool call, logprobs); nothing that streams tokens comes near this. */
const LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Incremental parser of `text/event-stream` as the HTML standard defines it ("parsing an event stream"): LF, CR and
 * CRLF end a line, comments are skipped, the space after the colon is optional, the data lines of an event are joined
 * with LF. It works on bytes, so a stream may be cut anywhere, inside a character too.
 */
export function sseParser(onEvent: OnSseEvent, limitBytes = LIMIT_BYTES): SseParser {
  const fields = eventAssembler(onEvent);
  const lines = lineSplitter((bytes, start, end) => {
    if (start === end) fields.dispatch();
    // Nearly every line is data: its name is compared in place.
    else if (isData(bytes, start, end)) fields.addData(bytes, afterColon(bytes, start + 4), end);
    else readOtherField(bytes.subarray(start, end), fields);
  });
  let skipBom = bomSkipper();
  let isBomSettled = false;
  let isBetween = false;

  function pendingBytes(): number {
    return lines.pendingBytes + fields.pendingBytes();
  }

  return {
    push(bytes, start = 0, end = bytes.length) {
      const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const bom = isBomSettled ? null : skipBom(chunk.subarray(start, end));
      if (bom === null) lines.push(chunk, start, end);
      else {
        isBomSettled = bom.isSettled;
        lines.push(bom.rest, 0, bom.rest.length);
      }
      fields.own();
      isBetween = isBomSettled && lines.isAtLineStart() && fields.isEmpty();
      if (pendingBytes() > limitBytes) throw new SseLimitError(`an event of more than ${limitBytes} bytes`);
    },
    isBetweenEvents: () => isBetween,
    reset() {
      lines.reset();
      fields.reset();
      skipBom = bomSkipper();
      isBomSettled = false;
      isBetween = false;
    },
    get pendingBytes() {
      return pendingBytes();
    },
  };
}

type Fields = ReturnType<typeof eventAssembler>;

/** Collects the fields of one event after the other. */
function eventAssembler(onEvent: OnSseEvent) {
  /** The data lines so far, joined, as a range; null before the first. */
  let data: Buffer | null = null;
  let start = 0;
  let end = 0;
  let type = "message";
  let lastEventId = "";

  function setData(bytes: Buffer, from: number, to: number): void {
    data = bytes;
    start = from;
    end = to;
  }

  return {
    addData(bytes: Buffer, from: number, to: number): void {
      if (data === null) setData(bytes, from, to);
      else {
        const joined = Buffer.concat([data.subarray(start, end), NEWLINE, bytes.subarray(from, to)]);
        setData(joined, 0, joined.length);
      }
    },
    setType(value: string): void {
      type = value === "" ? "message" : value;
    },
    setId(value: string): void {
      if (!value.includes("\0")) lastEventId = value;
    },
    /** An empty line ends an event; one without data is none. */
    dispatch(): void {
      const bytes = data;
      const name = type;
      data = null;
      type = "message";
      if (bytes !== null) onEvent(bytes, start, end, name, lastEventId);
    },
    /** Moves what outlives the caller's memory into our own. */
    own(): void {
      if (data !== null) setData(Buffer.from(data.subarray(start, end)), 0, end - start);
    },
    pendingBytes: () => (data === null ? 0 : end - start),
    isEmpty: () => data === null && type === "message",
    reset(): void {
      data = null;
      type = "message";
      lastEventId = "";
    },
  };
}

/** "data:", or "data" alone. */
function isData(bytes: Buffer, start: number, end: number): boolean {
  return (
    bytes[start] === 100 &&
    bytes[start + 1] === 97 &&
    bytes[start + 2] === 116 &&
    bytes[start + 3] === 97 &&
    (start + 4 === end || (start + 4 < end && bytes[start + 4] === COLON))
  );
}

/** Where a value begins whose name ends at `at`: after the colon and one space, neither of which has to be there. */
function afterColon(bytes: Buffer, at: number): number {
  if (bytes[at] !== COLON) return at;
  return bytes[at + 1] === SPACE ? at + 2 : at + 1;
}

function readOtherField(line: Buffer, fields: Fields): void {
  const colon = line.indexOf(COLON);
  const name = line.toString("latin1", 0, colon === -1 ? line.length : colon);
  const value = colon === -1 ? "" : line.toString("utf8", afterColon(line, colon));
  if (name === "event") fields.setType(value);
  else if (name === "id") fields.setId(value);
  // A comment has no name; "retry" only matters to a client that reconnects; any other name is to be ignored.
}

/** Takes away one byte order mark at the very start, however it is cut. */
function bomSkipper(): (chunk: Buffer) => { readonly rest: Buffer; readonly isSettled: boolean } {
  let matched = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length && matched < BOM.length && chunk[at] === BOM[matched]) {
      at += 1;
      matched += 1;
    }
    if (matched === BOM.length) return { rest: chunk.subarray(at), isSettled: true };
    if (at === chunk.length) return { rest: NOTHING, isSettled: false };
    return { rest: Buffer.concat([BOM.subarray(0, matched), chunk.subarray(at)]), isSettled: true };
  };
}

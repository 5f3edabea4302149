import { type Answer, type AnswerShape, answerReader, answerShape } from "./answer-reader.ts";

/** One HTTP answer as it arrives: its head, and its body read as an event stream or kept as the server's words. */
export interface ExchangeReader {
  /** Forgets the answer before. */
  begin(sentMs: number): void;
  onHeaders(status: number, headers: Readonly<Record<string, string>>, atMs: number): void;
  /** Returns true when the stream cannot be read any further. */
  onData(bytes: Uint8Array, start: number, end: number, atMs: number): boolean;
  /** When the server last showed life: headers, an event, bytes of another body. A comment is none. */
  aliveMs(): number;
  /** How many events that carry something have come so far. */
  counted(): number;
  /** What has come so far. */
  read(): ReadExchange;
}

export interface ReadExchange {
  readonly status: number | null;
  readonly headersMs: number | null;
  readonly contentType: string;
  /** The body was read as an event stream. */
  readonly isStream: boolean;
  /** Start of a body that was not. */
  readonly errorBody: string;
  readonly answer: Answer;
}

/** Readers that are used again: what an answer needs to be read is made once for each request in flight. */
export interface ExchangeReaders {
  take(sentMs: number): ExchangeReader;
  /** The reader must not be used any more. */
  give(reader: ExchangeReader): void;
}

/** The body of a refused request is read this far, to find the server's words. */
const ERROR_BODY_BYTES = 64 * 1024;

export function exchangeReaders(): ExchangeReaders {
  const shape = answerShape();
  const idle: ExchangeReader[] = [];
  return {
    take(sentMs) {
      const reader = idle.pop() ?? exchangeReader(shape);
      reader.begin(sentMs);
      return reader;
    },
    give(reader) {
      idle.push(reader);
    },
  };
}

function exchangeReader(shape: AnswerShape): ExchangeReader {
  const reader = answerReader(shape);
  let status: number | null = null;
  let headersMs: number | null = null;
  let contentType = "";
  let isStream = false;
  let errorBody = "";
  // A typed array: a variable would be a new object on the heap for every event.
  const aliveMs = new Float64Array(1);

  return {
    begin(sentMs) {
      reader.reset();
      status = null;
      headersMs = null;
      contentType = "";
      isStream = false;
      errorBody = "";
      aliveMs[0] = sentMs;
    },
    onHeaders(code, headers, atMs) {
      status = code;
      headersMs = atMs;
      aliveMs[0] = atMs;
      contentType = headers["content-type"] ?? "";
      isStream = code === 200 && !isOtherType(contentType);
    },
    onData(bytes, start, end, atMs) {
      if (isStream) {
        if (reader.push(bytes, start, end, atMs)) aliveMs[0] = atMs;
        return reader.isBroken();
      }
      aliveMs[0] = atMs;
      if (errorBody.length < ERROR_BODY_BYTES) errorBody += Buffer.from(bytes.subarray(start, end)).toString();
      return false;
    },
    aliveMs: () => aliveMs[0] as number,
    counted: reader.counted,
    read: () => ({ status, headersMs, contentType, isStream, errorBody, answer: reader.answer() }),
  };
}

/** A stream under a missing or odd type is read all the same; these two are never one. */
function isOtherType(contentType: string): boolean {
  return /^\s*(text\/html|application\/json)\b/i.test(contentType);
}

import { type AnswerReader, answerReader } from "./answer-reader.ts";
import { isOtherType } from "./outcome-of.ts";

/** One HTTP answer as it arrives: its head, and its body read as an event stream or kept as the server's words. */
export interface ExchangeReader {
  status: number | null;
  headersMs: number | null;
  contentType: string;
  isStream: boolean;
  /** Start of a body that is no stream. */
  errorBody: string;
  /** When the server last showed life: headers, an event, bytes of another body. A comment is none. */
  aliveMs: number;
  readonly reader: AnswerReader;
  onHeaders(status: number, headers: Readonly<Record<string, string>>, atMs: number): void;
  onData(bytes: Uint8Array, atMs: number): void;
}

/** The body of a refused request is read this far, to find the server's words. */
const ERROR_BODY_BYTES = 64 * 1024;

export function exchangeReader(sentMs: number): ExchangeReader {
  const reader = answerReader();
  const exchange: ExchangeReader = {
    status: null,
    headersMs: null,
    contentType: "",
    isStream: false,
    errorBody: "",
    aliveMs: sentMs,
    reader,
    onHeaders(status, headers, atMs) {
      exchange.status = status;
      exchange.headersMs = atMs;
      exchange.aliveMs = atMs;
      exchange.contentType = headers["content-type"] ?? "";
      exchange.isStream = status === 200 && !isOtherType(exchange.contentType);
    },
    onData(bytes, atMs) {
      if (exchange.isStream) {
        reader.push(bytes, atMs);
        exchange.aliveMs = reader.answer.lastEventMs ?? exchange.aliveMs;
        return;
      }
      exchange.aliveMs = atMs;
      if (exchange.errorBody.length < ERROR_BODY_BYTES) exchange.errorBody += Buffer.from(bytes).toString();
    },
  };
  return exchange;
}

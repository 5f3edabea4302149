import { systemClock } from "../adapters/system-clock.ts";
import type { StreamSink } from "../ports/model-stream.ts";
import type { ConnectionUser } from "./http-connection.ts";
import { httpResponseReader } from "./http-response-reader.ts";

/** How one exchange over one connection can end. Exactly one of them is called, once. */
export interface ExchangeEnd {
  /** The answer is complete; the connection may be used again or not. */
  onComplete(reusable: boolean, atMs: number): void;
  /** The connection closed before a single byte of an answer. */
  onUnanswered(error: Error): void;
  onBroken(error: Error): void;
}

/** Reads one answer from a connection into the sink, and tells how that ended. `onWritten` is left to the caller. */
export function httpExchange(
  sink: Pick<StreamSink, "onHeaders" | "onData">,
  ending: ExchangeEnd,
): Omit<ConnectionUser, "onWritten"> {
  let answered = false;
  let over = false;
  let reusable: boolean | null = null;
  let atMs = 0;
  const reader = httpResponseReader({
    onHead: (status, headers) => sink.onHeaders(status, headers, atMs),
    onBody: (bytes, start, end) => sink.onData(bytes, start, end, atMs),
    onEnd(isReusable) {
      reusable = isReusable;
    },
  });

  /** Only after all bytes were read: what follows a complete answer would make it a broken one. */
  function completeIfEnded(): void {
    if (reusable === null || over) return;
    over = true;
    ending.onComplete(reusable, atMs);
  }

  return {
    onBytes(bytes, end, readAtMs) {
      answered = true;
      atMs = readAtMs;
      try {
        reader.push(bytes, end);
      } catch (error) {
        over = true;
        ending.onBroken(error as Error);
        return;
      }
      completeIfEnded();
    },
    onClosed(error) {
      if (over) return;
      atMs = systemClock.nowMs();
      reader.close();
      completeIfEnded();
      if (over) return;
      over = true;
      const reason = error ?? new Error("the server closed the connection before the answer was complete");
      if (answered) ending.onBroken(reason);
      else ending.onUnanswered(reason);
    },
  };
}

import { AppError } from "../../src/core/app-error.ts";
import type { HttpAnswer, HttpRequest, ModelStream, StreamHandle, StreamSink } from "../../src/ports/model-stream.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface VirtualModelOptions {
  readonly ttftMs?: number;
  readonly itlMs?: number;
  /** Time per token of request n; absent: `itlMs` for all. */
  readonly itlMsOf?: (arrival: number) => number;
  /** How many answers it works on at once; the others wait for a place, in the order of arrival. Absent: all. */
  readonly slots?: number;
  /** What POST /tokenize answers; null: 404. */
  readonly tokenize?: ((question: Record<string, unknown>) => readonly number[]) | null;
  /** Changes the fate of request n (0-based, in order of arrival). */
  readonly fate?: (arrival: number) => "answer" | "stall" | "refuse";
}

export interface Seen {
  readonly atMs: number;
  readonly body: Record<string, unknown>;
  readonly rid: string;
}

/** A model server in virtual time: every request is answered after a fixed time, however many there are. */
export class VirtualModel implements ModelStream {
  readonly seen: Seen[] = [];
  readonly cancelled: string[] = [];
  running = 0;
  mostRunning = 0;
  readonly #clock: VirtualClock;
  readonly #options: Required<VirtualModelOptions>;
  /** When each place is free. */
  readonly #freeMs: number[];

  constructor(clock: VirtualClock, options: VirtualModelOptions = {}) {
    this.#clock = clock;
    const { itlMs = 10 } = options;
    this.#options = {
      ttftMs: 50,
      itlMs,
      itlMsOf: () => itlMs,
      slots: 0,
      tokenize: null,
      fate: () => "answer",
      ...options,
    };
    this.#freeMs = Array.from({ length: this.#options.slots }, () => 0);
  }

  stream(request: HttpRequest, sink: StreamSink): StreamHandle {
    const body = JSON.parse(request.body ?? "{}") as Record<string, unknown>;
    const rid = request.headers["x-request-id"] ?? "";
    const fate = this.#options.fate(this.seen.length);
    const itlMs = this.#options.itlMsOf(this.seen.length);
    this.seen.push({ atMs: this.#clock.nowMs(), body, rid });
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    let over = false;
    const at = (ms: number, act: (nowMs: number) => void) =>
      this.#clock.at(this.#clock.nowMs() + ms, () => {
        if (!over) act(this.#clock.nowMs());
      });
    const finish = () => {
      over = true;
      this.running -= 1;
    };
    const tokens = fate === "stall" ? 2 : Number(body["max_tokens"]);
    const waitMs = this.#waitMs(this.#options.ttftMs + (tokens - 1) * itlMs);
    const ttftMs = waitMs + this.#options.ttftMs;
    if (fate === "refuse") {
      at(1, (nowMs) => {
        finish();
        sink.onHeaders(503, {}, nowMs);
        sink.onEnd(nowMs);
      });
    } else {
      at(1, (nowMs) => sink.onHeaders(200, { "content-type": "text/event-stream" }, nowMs));
      for (let token = 0; token < tokens; token += 1) {
        at(ttftMs + token * itlMs, (nowMs) => hand(sink, event(token + 1 === Number(body["max_tokens"])), nowMs));
      }
      if (fate === "answer") {
        at(ttftMs + (tokens - 1) * itlMs, (nowMs) => {
          hand(sink, usage(promptTokens(body), tokens), nowMs);
          finish();
          sink.onEnd(nowMs);
        });
      }
    }
    return {
      resent: false,
      cancel: () => {
        if (over) return;
        finish();
        this.cancelled.push(rid);
        setImmediate(() => sink.onFailure("cancelled", "cancelled by this side", this.#clock.nowMs()));
      },
    };
  }

  /** Takes the place that is free first for `busyMs` and says how long that takes from now. */
  #waitMs(busyMs: number): number {
    if (this.#freeMs.length === 0) return 0;
    const nowMs = this.#clock.nowMs();
    const startMs = Math.max(nowMs, Math.min(...this.#freeMs));
    this.#freeMs[this.#freeMs.indexOf(Math.min(...this.#freeMs))] = startMs + busyMs;
    return startMs - nowMs;
  }

  async ask(request: HttpRequest): Promise<HttpAnswer> {
    const { tokenize } = this.#options;
    if (!request.url.endsWith("/tokenize")) throw new AppError("ENDPOINT_UNREACHABLE", { message: "?", hint: "?" });
    if (tokenize === null) return { status: 404, headers: {}, body: '{"detail":"Not Found"}' };
    const tokens = tokenize(JSON.parse(request.body ?? "{}"));
    return { status: 200, headers: {}, body: JSON.stringify({ count: tokens.length, tokens }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function hand(sink: StreamSink, bytes: Uint8Array, nowMs: number): void {
  sink.onData(bytes, 0, bytes.length, nowMs);
}

function promptTokens(body: Record<string, unknown>): number {
  return Array.isArray(body["prompt"]) ? body["prompt"].length : 20;
}

function event(isLast: boolean): Uint8Array {
  return Buffer.from(`data: {"choices":[{"index":0,"text":"a","finish_reason":${isLast ? '"length"' : "null"}}]}\n\n`);
}

function usage(prompt: number, completion: number): Uint8Array {
  const text = `{"choices":[],"usage":{"prompt_tokens":${prompt},"completion_tokens":${completion}}}`;
  return Buffer.from(`data: ${text}\n\ndata: [DONE]\n\n`);
}

import type { Clock } from "../ports/clock.ts";
import type { TokenText } from "./token-text.ts";
import type { VllmEngine } from "./vllm-engine.ts";
import type { VllmMetrics } from "./vllm-metrics.ts";
import type { GenerationRequest } from "./vllm-request.ts";
import {
  type AnswerHead,
  type FinishReason,
  roleChunk,
  SSE_DONE,
  sseEvent,
  tokenChunk,
  type Usage,
  usageChunk,
  wholeAnswer,
} from "./vllm-wire.ts";

export interface GenerationContext {
  readonly clock: Clock;
  readonly engine: VllmEngine;
  readonly metrics: VllmMetrics;
  readonly tokens: TokenText;
}

/** Where an answer goes: a stream of events, or one JSON body at the end. */
export interface AnswerSink {
  event(text: string): void;
  whole(body: unknown): void;
  end(): void;
}

/** Runs one request through the engine and writes the answer as it grows. Returns a function that cancels it. */
export function generate(
  request: GenerationRequest,
  head: AnswerHead,
  context: GenerationContext,
  sink: AnswerSink,
): () => void {
  const arrivedMs = context.clock.nowMs();
  const choices = request.prompts.map((prompt, index) => newChoice(prompt, index, request));

  const cancels = choices.map((choice) =>
    context.engine.submit({
      promptTokens: choice.prompt.length,
      outputTokens: choice.outputTokens,
      onScheduled() {
        choice.scheduledMs = context.clock.nowMs();
      },
      onToken(index) {
        const piece = context.tokens.generate(choice.prompt, index);
        choice.text += piece.text;
        choice.produced = index + 1;
        if (choice.produced === choice.outputTokens) {
          choice.finishReason = choice.outputTokens < request.maxTokens ? "stop" : "length";
        }
        count(choice, arrivedMs, context);
        if (request.stream) writeToken(request, head, choice, piece, sink);
        completeIfDone(request, head, choices, sink);
      },
      onAbort() {
        choice.finishReason = "abort";
        if (request.stream) writeToken(request, head, choice, { token: 0, text: "" }, sink);
        completeIfDone(request, head, choices, sink);
      },
    }),
  );
  return () => {
    for (const cancel of cancels) cancel();
  };
}

function completeIfDone(
  request: GenerationRequest,
  head: AnswerHead,
  choices: readonly Choice[],
  sink: AnswerSink,
): void {
  if (!choices.every((choice) => choice.finishReason !== null)) return;
  const usage: Usage = {
    promptTokens: choices.reduce((total, choice) => total + choice.prompt.length, 0),
    completionTokens: choices.reduce((total, choice) => total + choice.produced, 0),
  };
  if (!request.stream) {
    sink.whole(wholeAnswer(head, choices, usage));
    return;
  }
  if (request.includeUsage) sink.event(sseEvent(usageChunk(head, usage)));
  sink.event(SSE_DONE);
  sink.end();
}

function writeToken(
  request: GenerationRequest,
  head: AnswerHead,
  choice: Choice,
  piece: { readonly token: number; readonly text: string },
  sink: AnswerSink,
): void {
  const usage = { promptTokens: choice.prompt.length, completionTokens: choice.produced };
  const shown = request.continuousUsage ? usage : null;
  const promptTokenIds = request.returnTokenIds && choice.produced === 1 ? choice.prompt : null;
  if (head.kind === "chat" && choice.produced === 1) {
    const before = shown && { ...usage, completionTokens: 0 };
    sink.event(sseEvent(roleChunk(head, choice.index, before, promptTokenIds)));
  }
  const chunk = tokenChunk(head, {
    index: choice.index,
    text: piece.text,
    finishReason: choice.finishReason,
    tokenIds: request.returnTokenIds ? [piece.token] : null,
    promptTokenIds: head.kind === "chat" ? null : promptTokenIds,
    usage: shown,
    withFingerprint: choice.finishReason !== null && !request.includeUsage,
  });
  sink.event(sseEvent(chunk));
}

interface Choice {
  readonly index: number;
  readonly prompt: readonly number[];
  readonly outputTokens: number;
  produced: number;
  text: string;
  finishReason: FinishReason;
  scheduledMs: number;
  firstMs: number;
  lastMs: number;
}

function newChoice(prompt: readonly number[], index: number, request: GenerationRequest): Choice {
  const outputTokens = request.ignoreEos ? request.maxTokens : Math.min(request.maxTokens, naturalLength(prompt));
  const times = { scheduledMs: 0, firstMs: 0, lastMs: 0 };
  return { index, prompt, outputTokens, produced: 0, text: "", finishReason: null, ...times };
}

/** Where an answer ends by itself: between 80 and 335 tokens, the same for the same prompt. */
function naturalLength(prompt: readonly number[]): number {
  return 80 + (prompt.reduce((mixed, token) => (mixed * 31 + token) % 65_521, 7) % 256);
}

function count(choice: Choice, arrivedMs: number, { clock, metrics }: GenerationContext): void {
  const nowMs = clock.nowMs();
  if (choice.produced === 1) {
    choice.firstMs = nowMs;
    metrics.firstToken({ ttftMs: nowMs - arrivedMs, promptTokens: choice.prompt.length });
  } else {
    metrics.nextToken(nowMs - choice.lastMs);
  }
  choice.lastMs = nowMs;
  if (choice.finishReason !== "stop" && choice.finishReason !== "length") return;
  metrics.finished({
    reason: choice.finishReason,
    e2eMs: nowMs - arrivedMs,
    queuedMs: choice.scheduledMs - arrivedMs,
    prefillMs: choice.firstMs - choice.scheduledMs,
    decodeMs: nowMs - choice.firstMs,
    promptTokens: choice.prompt.length,
    outputTokens: choice.outputTokens,
  });
}

import type { Clock } from "../ports/clock.ts";
import { stepJitter } from "./jitter.ts";
import { decodeStepMs, type HostSpeed, prefillStepMs, type Serving } from "./performance-model.ts";
import { waitUntil } from "./wait-until.ts";

export interface EngineLimits {
  readonly maxNumSeqs: number;
  readonly maxNumBatchedTokens: number;
  /** Room in the key-value cache, in tokens. */
  readonly kvTokens: number;
}

export interface EngineOptions {
  readonly clock: Clock;
  readonly serving: Serving;
  readonly limits: EngineLimits;
  /** Read anew for every step: a clock that is changed while a stream runs changes its speed. */
  readonly hostSpeed: () => HostSpeed;
  readonly seed: number;
  /** Added to the very first step, when the kernels are compiled. */
  readonly firstStepMs: number;
}

export interface SequenceRequest {
  readonly promptTokens: number;
  /** Tokens after which the sequence ends. */
  readonly outputTokens: number;
  /** Called when the sequence leaves the queue. */
  onScheduled(): void;
  /** Called once per token, at the time the step ends; `index` counts from 0. */
  onToken(index: number): void;
  /** Called instead when the engine stops first. */
  onAbort(): void;
}

export interface EngineStats {
  readonly running: number;
  readonly waiting: number;
  /** Share of the key-value cache in use, 0 to 1. */
  readonly cacheUsage: number;
}

export interface VllmEngine {
  /** Queues one sequence. The function it returns takes it out again, as when a client hangs up. */
  submit(request: SequenceRequest): () => void;
  stats(): EngineStats;
  /** Ends every sequence with `onAbort`. */
  stop(): Promise<void>;
}

interface Sequence extends SequenceRequest {
  prefilled: number;
  produced: number;
}

/**
 * The engine of vLLM V0: a step is either a prefill of what waits, within the token budget, or one decode of everything
 * that runs. Steps lie on an absolute schedule, so that late timers never add up.
 */
export function startVllmEngine(options: EngineOptions): VllmEngine {
  const { clock } = options;
  const halt = new AbortController();
  const jitter = stepJitter(options.seed);
  const queue = sequenceQueue(options);
  let wake: () => void = () => {};

  async function work(): Promise<void> {
    let extraMs = options.firstStepMs;
    let endsAt = clock.nowMs();
    while (!halt.signal.aborted) {
      const step = queue.nextStep();
      if (step === null) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        endsAt = clock.nowMs();
        continue;
      }
      endsAt += step.ms * jitter(endsAt) + extraMs;
      extraMs = 0;
      await waitUntil(clock, endsAt, halt.signal);
      if (!halt.signal.aborted) step.finish();
    }
  }

  const worker = work();
  return {
    submit(request) {
      const remove = queue.add(request);
      wake();
      return remove;
    },
    stats: queue.stats,
    async stop() {
      halt.abort();
      wake();
      await worker;
      queue.abortAll();
    },
  };
}

interface Step {
  readonly ms: number;
  /** Hands out the tokens that the step produced. */
  finish(): void;
}

function sequenceQueue(options: EngineOptions) {
  const { limits, serving } = options;
  let waiting: Sequence[] = [];
  let running: Sequence[] = [];

  const cacheTokens = (sequence: Sequence) => sequence.prefilled + sequence.produced;
  const fits = (next: Sequence) =>
    running.length < limits.maxNumSeqs && sum([...running, next], whole) <= limits.kvTokens;

  function admit(): void {
    for (let next = waiting[0]; next && fits(next); next = waiting[0]) {
      waiting.shift();
      running.push(next);
      next.onScheduled();
    }
  }

  function emit(sequence: Sequence): void {
    if (!running.includes(sequence)) return;
    sequence.produced += 1;
    if (sequence.produced >= sequence.outputTokens) running = running.filter((other) => other !== sequence);
    sequence.onToken(sequence.produced - 1);
  }

  function prefill(parts: readonly PrefillPart[]): Step {
    const batch = { sequences: parts.length, promptTokens: sum(parts, ({ tokens }) => tokens) };
    return {
      ms: prefillStepMs(serving, options.hostSpeed(), batch),
      finish() {
        for (const { sequence, tokens } of parts) {
          sequence.prefilled += tokens;
          if (sequence.prefilled === sequence.promptTokens) emit(sequence);
        }
      },
    };
  }

  function decode(sequences: readonly Sequence[]): Step {
    const batch = { sequences: sequences.length, contextTokens: sum(sequences, cacheTokens) };
    return { ms: decodeStepMs(serving, options.hostSpeed(), batch), finish: () => sequences.forEach(emit) };
  }

  return {
    add(request: SequenceRequest): () => void {
      const sequence: Sequence = { ...request, prefilled: 0, produced: 0 };
      waiting.push(sequence);
      return () => {
        waiting = waiting.filter((other) => other !== sequence);
        running = running.filter((other) => other !== sequence);
      };
    },
    /** Null when there is nothing to do. */
    nextStep(): Step | null {
      admit();
      const parts = choosePrefill(running, limits.maxNumBatchedTokens);
      if (parts.length > 0) return prefill(parts);
      return running.length === 0 ? null : decode([...running]);
    },
    stats: (): EngineStats => ({
      running: running.length,
      waiting: waiting.length,
      cacheUsage: Math.min(1, sum(running, cacheTokens) / limits.kvTokens),
    }),
    abortAll(): void {
      const left = [...running, ...waiting];
      running = [];
      waiting = [];
      for (const sequence of left) sequence.onAbort();
    },
  };
}

interface PrefillPart {
  readonly sequence: Sequence;
  readonly tokens: number;
}

/** Prompts in order of arrival until the budget of the step is used up; a long one is cut into several steps. */
function choosePrefill(running: readonly Sequence[], budget: number): readonly PrefillPart[] {
  const parts: PrefillPart[] = [];
  let left = budget;
  for (const sequence of running) {
    const tokens = Math.min(left, sequence.promptTokens - sequence.prefilled);
    if (tokens > 0) parts.push({ sequence, tokens });
    left -= tokens;
  }
  return parts;
}

/** Room a sequence may need in the end; it is set aside when the sequence starts. */
function whole({ promptTokens, outputTokens }: Sequence): number {
  return promptTokens + outputTokens;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

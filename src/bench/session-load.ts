import type { RequestTrace } from "../measure/load-point.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import type { ChatMessage } from "../prompts/prompt-file.ts";
import { requestBody } from "../prompts/request-body.ts";
import type { SessionPlan, SessionTurn } from "../prompts/session-maker.ts";
import { type AnswerText, answerText } from "../stream/answer-text.ts";
import type { PhaseSender } from "./phase-sender.ts";
import type { Run } from "./run-workload.ts";

/**
 * Keeps `concurrency` sessions going until all have been held, or until the duration is over or the signal aborts. A
 * session sends its turns one after the other, each with all that was said before and what the model really answered,
 * and a pause before each turn but the first. It ends with a turn that fails: nobody goes on talking to an error.
 */
export async function driveSessions(
  run: Run,
  plans: readonly SessionPlan[],
  concurrency: number,
  sender: PhaseSender,
): Promise<readonly RequestTrace[]> {
  const { clock, signal, workload } = run;
  const { durationMs = Number.POSITIVE_INFINITY } = workload;
  const untilMs = clock.nowMs() + durationMs;
  const firstIndex = startIndexes(plans);
  const traces: RequestTrace[] = [];
  let next = 0;

  async function user(): Promise<void> {
    while (next < plans.length && clock.nowMs() < untilMs && !signal.aborted) {
      const session = next;
      next += 1;
      await hold(plans[session] as SessionPlan, session);
    }
  }

  async function hold({ system, turns }: SessionPlan, session: number): Promise<void> {
    const messages: ChatMessage[] = system === null ? [] : [{ role: "system", content: system }];
    for (const [at, turn] of turns.entries()) {
      if (turn.thinkMs > 0) await clock.sleep(turn.thinkMs, signal);
      if (signal.aborted) return;
      messages.push({ role: "user", content: turn.text });
      const answer = answerText();
      const index = (firstIndex[session] ?? 0) + at;
      const trace = await sender.send(
        turnRequest(run, sender, index, turn, messages),
        NOW,
        listening(run.models, answer),
      );
      traces.push({ ...trace, turn: { session, turn: at + 1 } });
      if (trace.outcome !== "ok") return;
      messages.push({ role: "assistant", content: answer.read() });
    }
  }

  await Promise.all(Array.from({ length: Math.min(concurrency, plans.length) }, user));
  return traces;
}

const NOW = { scheduledMs: null, queuedMs: 0 };

/** Requests are counted through all sessions. */
function startIndexes(plans: readonly SessionPlan[]): number[] {
  let index = 0;
  return plans.map(({ turns }) => {
    const start = index;
    index += turns.length;
    return start;
  });
}

function turnRequest(
  { workload }: Run,
  { bodyOptions }: PhaseSender,
  index: number,
  { outputTokens }: SessionTurn,
  messages: readonly ChatMessage[],
) {
  const prompt = { input: { kind: "messages", messages }, outputTokens } as const;
  return {
    index,
    body: requestBody(workload, prompt, bodyOptions),
    outputTokens: outputTokens ?? workload.outputTokens,
  };
}

/** The same connection, with the bytes of the answer kept besides. */
function listening(models: ModelStream, answer: AnswerText): Pick<ModelStream, "stream"> {
  return {
    stream: (request, sink) =>
      models.stream(request, {
        onHeaders: (status, headers, atMs) => sink.onHeaders(status, headers, atMs),
        onData(bytes, start, end, atMs) {
          sink.onData(bytes, start, end, atMs);
          answer.push(bytes, start, end);
        },
        onEnd: (atMs) => sink.onEnd(atMs),
        onFailure: (failure, detail, atMs) => sink.onFailure(failure, detail, atMs),
      }),
  };
}

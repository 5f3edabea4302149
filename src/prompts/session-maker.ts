import { createHash } from "node:crypto";
import type { SessionSpec, Workload } from "../config/run-config.ts";
import type { Conversation, ConversationTurn } from "./conversation-file.ts";
import { draw, fitText } from "./prompt-pool.ts";
import type { PromptMaker } from "./prompts.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ServerTokenizer } from "./server-tokenizer.ts";

/** What one person will say in a session. */
export interface SessionPlan {
  readonly system: string | null;
  readonly turns: readonly SessionTurn[];
}

export interface SessionTurn {
  readonly text: string;
  /** Length of the answer; null: the workload's. */
  readonly outputTokens: number | null;
  /** Pause before this turn; none before the first. */
  readonly thinkMs: number;
}

export interface SessionMaker {
  /** As many whole sessions as have at least so many requests together. The same name gives the same sessions. */
  make(setName: string, requests: number): Promise<readonly SessionPlan[]>;
}

/** SHA-256 over the sessions in order. */
export function digestOfSessions(plans: readonly SessionPlan[]): string {
  const hash = createHash("sha256");
  for (const plan of plans) hash.update(JSON.stringify(plan)).update("\n");
  return hash.digest("hex");
}

/** Sessions of `turns` turns: the first is a seeded prompt, each later one adds `turnInputTokens` tokens of its own. */
export async function seededSessions(
  { seed }: Pick<Workload, "seed">,
  { turns, turnInputTokens, thinkMs }: SessionSpec & { readonly turns: number; readonly turnInputTokens: number },
  first: PromptMaker,
  tokenizer: ServerTokenizer,
): Promise<SessionMaker> {
  const { words, wordCount, isExact } = await fitText(turnInputTokens, tokenizer);
  const later = (seedText: string) =>
    draw(words, isExact ? turnInputTokens : wordCount, seededRandom(seedText)).join(" ");
  return {
    async make(setName, requests) {
      return first.make(setName, Math.ceil(requests / turns)).map(({ input }, session) => ({
        system: null,
        turns: Array.from({ length: turns }, (_, turn) => ({
          text:
            turn === 0 && input.kind === "text" ? input.text : later(`${seed}/${setName}/session/${session}/${turn}`),
          outputTokens: null,
          thinkMs: turn === 0 ? 0 : thinkMs,
        })),
      }));
    },
  };
}

/** Conversations of a file in its order, over again when it is too short, each at most `turns` turns long. */
export function sessionsOfFile(
  conversations: readonly Conversation[],
  spec: SessionSpec,
  outputLengths: "file" | "workload",
  tokenizer: ServerTokenizer,
): SessionMaker {
  return {
    async make(_setName, requests) {
      const plans: SessionPlan[] = [];
      let planned = 0;
      for (let at = 0; planned < requests; at += 1) {
        const { system, turns } = conversations[at % conversations.length] as Conversation;
        const said = turns.slice(0, spec.turns ?? turns.length);
        const lengths = outputLengths === "workload" ? said.map(() => null) : await lengthsOf(said, tokenizer);
        plans.push({
          system,
          turns: said.map(({ text, thinkMs }, turn) => ({
            text,
            outputTokens: lengths[turn] ?? null,
            thinkMs: turn === 0 ? 0 : (thinkMs ?? spec.thinkMs),
          })),
        });
        planned += said.length;
      }
      return plans;
    },
  };
}

/** One after the other: this is no load yet. Null where neither the file nor a tokenizer says. */
async function lengthsOf(turns: readonly ConversationTurn[], tokenizer: ServerTokenizer): Promise<(number | null)[]> {
  const lengths: (number | null)[] = [];
  for (const { outputTokens, answer } of turns) {
    const counted = outputTokens === null && answer !== null ? await tokenizer.ids(answer) : null;
    lengths.push(outputTokens ?? (counted === null ? null : Math.max(1, counted.length)));
  }
  return lengths;
}

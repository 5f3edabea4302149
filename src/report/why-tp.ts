import type { RunRecord } from "../record/run-record.ts";
import { formatChange, formatValue } from "./format-value.ts";
import { type LevelSummary, summarizeLevels } from "./level-summary.ts";

/** One 8B model at int4 on A770s, one request at a time, as Intel measured it in October 2024. */
const PUBLISHED =
  "For comparison, Intel measured Llama-3.1-8B at int4 on A770s (ipex-llm#12190): " +
  "one card 100.48 ms to the first token and 15.19 ms per token, two cards 69.22 ms and 21.78 ms per token.";

/**
 * Says in plain words, with the numbers of two records, what more tensor parallelism did to the same model, and why.
 * Paragraphs for a log or a summary; none when the records do not differ in tensor parallelism or share no load point.
 */
export function explainLayouts(a: RunRecord, b: RunRecord): string[] {
  const [few, many] = [a, b].sort((x, y) => cards(x) - cards(y));
  if (few === undefined || many === undefined || cards(few) === cards(many)) return [];
  const pair = firstSharedLevel(few, many);
  if (pair === null) return [];
  const model = few.deployment?.servedModelName ?? "the model";
  const simulated = few.simulated || many.simulated ? " (simulated)" : "";
  return [
    `${model}, ${load(pair.few)}: tensor parallel ${cards(few)} against ${cards(many)}${simulated}`,
    ...numbers(pair),
    ...whyFirstToken(pair, cards(many)),
    ...whyEachToken(pair, cards(many)),
    ...whatToDo(pair, cards(few), cards(many)),
    PUBLISHED,
  ];
}

interface Pair {
  readonly few: LevelSummary;
  readonly many: LevelSummary;
}

function cards(record: RunRecord): number {
  return record.deployment?.tensorParallel ?? 1;
}

function firstSharedLevel(few: RunRecord, many: RunRecord): Pair | null {
  const others = summarizeLevels(many.points);
  for (const level of summarizeLevels(few.points)) {
    const other = others.find(({ workload, load: at }) => workload === level.workload && at === level.load);
    if (other !== undefined) return { few: level, many: other };
  }
  return null;
}

function load(level: LevelSummary): string {
  return level.load === "1" ? "one request at a time" : `${level.load} requests at a time`;
}

function numbers({ few, many }: Pair): string[] {
  const line = (name: string, unit: string, before: number | null, after: number | null) =>
    before === null || after === null
      ? []
      : [`${name}: ${formatValue(before)} -> ${formatValue(after)} ${unit} (${formatChange(pct(before, after))} %)`];
  return [
    ...line("first token", "ms", few.ttftP50Ms, many.ttftP50Ms),
    ...line("every further token", "ms", few.tpotP50Ms, many.tpotP50Ms),
    ...line("one user's speed", "tok/s", few.userTokS, many.userTokS),
    ...line("all users' speed", "tok/s", few.outputTokS, many.outputTokS),
  ];
}

function whyFirstToken({ few, many }: Pair, count: number): string[] {
  if (few.ttftP50Ms === null || many.ttftP50Ms === null || many.ttftP50Ms >= few.ttftP50Ms) return [];
  return [
    `The first token comes sooner, since reading the prompt is one large matrix product per layer: it is bound by ` +
      `compute, and ${count} cards share the compute.`,
  ];
}

function whyEachToken({ few, many }: Pair, count: number): string[] {
  const { tpotP50Ms: before } = few;
  const { tpotP50Ms: after } = many;
  if (before === null || after === null) return [];
  if (after < before) {
    return [
      `Every further token comes sooner too: this model is large enough for the cards' shared bandwidth to count.`,
    ];
  }
  return [
    `Every further token comes later, since one token is little work: the time goes into starting kernels from the CPU, ` +
      `which ${count} cards do not share, and into two all-reduces per layer over PCIe, which one card does not need. ` +
      `That costs at least ${formatValue(after - before)} ms per token here, more than sharing the weights saves.`,
  ];
}

function whatToDo({ few, many }: Pair, fewCards: number, manyCards: number): string[] {
  if (few.outputTokS === null || many.outputTokS === null) return [];
  const instances = Math.floor(manyCards / fewCards);
  const together = instances * few.outputTokS;
  if (together <= many.outputTokS) return [];
  return [
    `As the model fits ${fewCards === 1 ? "one card" : `${fewCards} cards`}, run ${instances} independent instances: about ` +
      `${formatValue(together)} tok/s together against ${formatValue(many.outputTokS)}, and each user keeps ` +
      `${formatValue(few.userTokS)} tok/s. Tensor parallelism is for models that do not fit.`,
  ];
}

function pct(before: number, after: number): number {
  return 100 * (after / before - 1);
}

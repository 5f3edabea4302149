import type { ConfigFile } from "./config-schema.ts";
import { checkFlags } from "./engine-flags.ts";
import { flagNumber } from "./serve-schema.ts";
import type { WorkloadEntry } from "./workload-schema.ts";

/** What is allowed but probably not meant, one sentence each. */
export function configWarnings({ serve, workloads, gate }: ConfigFile): string[] {
  const compares = gate.baseline !== undefined || gate["require-comparison"];
  return [
    ...imageWarnings(serve),
    ...flagWarnings(serve),
    ...workloads.flatMap((workload) => workloadWarnings(workload, serve, compares)),
  ];
}

function imageWarnings(serve: ConfigFile["serve"]): string[] {
  if (serve?.engine !== "ipex-llm" || !serve.image.endsWith(":latest")) return [];
  return [`serve.image: "${serve.image}" moves, so runs do not compare; name a version or a digest`];
}

function flagWarnings(serve: ConfigFile["serve"]): string[] {
  if (serve === undefined || serve.engine === "url") return [];
  return checkFlags(serve.engine, serve.flags, serve.cards ?? null)
    .filter(({ severity }) => severity === "warning")
    .map(({ flag, value, wanted }) => `serve.flags.${flag}: "${value}", expected ${wanted}`);
}

function workloadWarnings(workload: WorkloadEntry, serve: ConfigFile["serve"], compares: boolean): string[] {
  const warnings: string[] = [];
  const say = (text: string) => warnings.push(`workload "${workload.name}": ${text}`);
  const sequences = flagNumber(serve, "max-num-seqs");
  const most = Math.max(...workload.concurrency);
  if (sequences !== null && most > sequences) {
    say(`concurrency ${most} is over max-num-seqs ${sequences}, the rest waits in the queue of the server`);
  }
  const requests = workload["requests-per-level"];
  if (requests < most) say(`${requests} requests never keep ${most} in flight`);
  if (compares && workload.repeats < 2) say("one repeat has no spread, so a comparison cannot decide");
  return warnings;
}

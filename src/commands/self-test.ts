import type { World } from "../pipeline/world.ts";
import { clientCheckTable, faultTable } from "../report/trust-tables.ts";
import type { ClientMachine } from "../trust/certificate.ts";
import { type CheckClientContext, type ClientCheck, checkClient } from "../trust/check-client.ts";
import { type ClientLoad, loadWords } from "../trust/client-load.ts";
import { climbLoads, LOAD_LADDER, trustedLoad } from "../trust/climb-loads.ts";
import { type FaultResult, runFaultCases } from "../trust/run-fault-cases.ts";
import type { CommandOutcome } from "./command-outcome.ts";

/**
 * Measures this client itself: rising loads, or the one that is asked for, and every fault a server can have, against a
 * truth server in a process of its own. Exit code 5 when not even the lowest load, or not every fault, is booked rightly.
 */
export async function selfTest(load: ClientLoad | null, world: World): Promise<CommandOutcome> {
  const { models, clock, signal, loopWatch, console, machine } = world;
  await using truth = await world.startTruth();
  const context: CheckClientContext = { truth, models, clock, signal, loopWatch };
  console.group("Self-test");
  console.progress("every fault of a server");
  const faults = await runFaultCases(context);
  const loads = load === null ? LOAD_LADDER : [load];
  console.progress(loadWords(loads[0] as ClientLoad));
  const checks = await climbLoads(loads, async (each) => {
    const check = await checkClient(context, each, SECONDS_OF_EACH);
    console.progress(progressLine(check));
    return check;
  });
  const trusted = trustedLoad(checks);
  const isRight = trusted !== null && faults.every(({ ok }) => ok);
  const verdict = sentence(trusted, faults, machine);
  return {
    exitCode: isRight ? 0 : 5,
    text: [clientCheckTable(checks), faultTable(faults), verdict].join("\n\n"),
    json: { trusted, machine, checks, faults, verdict },
  };
}

const SECONDS_OF_EACH = 3;

function progressLine({ load, ttftErrorMs, problems }: ClientCheck): string {
  const p99 = ttftErrorMs === null ? "not known" : `${ttftErrorMs.p99.toFixed(2)} ms`;
  return `${loadWords(load)}: TTFT error p99 ${p99}, ${problems.length === 0 ? "right" : "not right"}`;
}

function sentence(trusted: ClientLoad | null, faults: readonly FaultResult[], machine: ClientMachine): string {
  const where = `On this machine (${machine.cpu}, ${machine.cores} cores, Node ${machine.node})`;
  const wrong = faults.filter(({ ok }) => !ok).length;
  const booked = wrong === 0 ? "" : `; ${wrong} of ${faults.length} faults were booked wrongly`;
  if (trusted === null) {
    return `${where} this client is not to be trusted with any of these loads${booked}. Is something else running?`;
  }
  return `${where} this client is right, with TTFT errors under 1 ms at p99, up to ${loadWords(trusted)}${booked}.`;
}

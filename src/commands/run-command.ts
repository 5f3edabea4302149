import type { RunConfig } from "../config/run-config.ts";
import { formatFailure } from "../core/format-failure.ts";
import type { RunOptions } from "../inputs/run-options.ts";
import { run } from "../pipeline/run.ts";
import type { RunOutcome } from "../pipeline/run-outcome.ts";
import type { World } from "../pipeline/world.ts";
import { clientLines } from "../report/client-lines.ts";
import { hostLoadTable } from "../report/host-load-table.ts";
import { provisionTable, recapTable } from "../report/host-tables.ts";
import { comparisonTable, loadPointTable } from "../report/measure-tables.ts";
import { sweepReport } from "../report/sweep-report.ts";
import { turnTable } from "../report/turn-table.ts";
import { sweepResults } from "../study/sweep-result.ts";
import type { CommandOutcome } from "./command-outcome.ts";

/** The whole pipeline as a command: its tables, its verdict and its exit code. */
export async function runCommand(
  config: RunConfig,
  world: World,
  options: Pick<RunOptions, "hosts-at-once"> = {},
): Promise<CommandOutcome> {
  return runOutcome(await run(config, world, options), world);
}

/** Load points and comparison of every host, failures with their remedy, and the verdict in one line at the end. */
export function runOutcome({ hosts, decision }: RunOutcome, { color }: Pick<World, "color">): CommandOutcome {
  const parts = hosts.flatMap(({ record, analysis, error }) => [
    ...(record.provision === null ? [] : [provisionTable(record.provision, { color }), recapTable([record.provision])]),
    ...(record.points.length > 0
      ? [`Load points on ${record.host}`, loadPointTable(record.points), ...clientLines(record)]
      : []),
    ...hostLoadTable(`${record.host} meanwhile`, record.points),
    ...sweepResults(record).map(sweepReport),
    ...[turnTable(record.points)].filter((table) => table !== null),
    ...(analysis.comparisons.length > 0 ? [`Comparison on ${record.host}`, comparisonTable(analysis, { color })] : []),
    ...(error === null ? [] : [formatFailure(error)]),
  ]);
  const text = [...parts, decision.sentence].join("\n\n");
  return { exitCode: decision.exitCode, text, json: decision, decision };
}

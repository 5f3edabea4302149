import type { RunConfig } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { hostFactsFile } from "../record/host-facts-file.ts";
import { toolVersion } from "./tool-version.ts";
import type { World } from "./world.ts";

interface ReadHost {
  readonly host: string;
  /** Null when the host could not be read: there is no file then. */
  readonly facts: HostFacts | null;
}

/**
 * Writes what was read of the hosts under the report folder: host-facts.json, or host-facts-NAME.json for each when the
 * configuration has several. Throws REPORT_NOT_WRITTEN.
 */
export async function writeHostFacts(
  read: readonly ReadHost[],
  { hosts, report }: Pick<RunConfig, "hosts" | "report">,
  { files, simulated }: Pick<World, "files" | "simulated">,
): Promise<void> {
  for (const { host, facts } of read) {
    if (facts === null) continue;
    const path = `${report.dir}/host-facts${hosts.length > 1 ? `-${host}` : ""}.json`;
    try {
      await files.write(path, `${JSON.stringify(hostFactsFile(facts, { toolVersion, simulated }), null, 1)}\n`);
    } catch (cause) {
      throw new AppError("REPORT_NOT_WRITTEN", {
        message: `Cannot write the facts of host "${host}" to "${path}"`,
        hint: "Check that the folder can be written and that the disk is not full",
        cause,
      });
    }
  }
}

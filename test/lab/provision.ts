import { systemClock } from "../../src/adapters/system-clock.ts";
import { openShell } from "../../src/adapters-shell/open-shell.ts";
import type { Playbook } from "../../src/plan/playbook.ts";
import { provisionHost } from "../../src/provision/provision-host.ts";
import type { ProvisionRecord } from "../../src/provision/provision-record.ts";
import { shippedPlaybook } from "../fakes/shipped-playbook.ts";
import type { LabHost } from "./lab-host.ts";

export interface ProvisionOptions {
  /** Sees every line that a step prints. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Provisions a lab host as a user would, over SSH as the login user. */
export async function provision(
  host: LabHost,
  playbook: Playbook,
  { onProgress = () => {}, ...rest }: ProvisionOptions = {},
): Promise<ProvisionRecord> {
  const startedMs = performance.now();
  const say = (line: string) =>
    console.log(`lab: ${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${line}`);
  await using shell = await openShell(host.spec, systemClock);
  return await provisionHost({
    shell,
    clock: systemClock,
    console: { info: say, warn: say, error: say, group: say, endGroup: () => {}, progress: onProgress },
    playbook,
    ...rest,
  });
}

/** The shipped A770 playbook, pointed at the guest's own copy of Intel's repository, whose key is made with the image. */
export async function a770Playbook(host: LabHost): Promise<Playbook> {
  const key = "/srv/archive/gpu/intel-graphics.key";
  const shown = await host.rootOk(`gpg --show-keys --with-colons ${key} 2>/dev/null`);
  return shippedPlaybook("ubuntu-22.04-a770.yml", {
    intel_repository: "http://127.0.0.1:8080/gpu/ubuntu",
    intel_key: `file://${key}`,
    intel_key_fingerprints: /^fpr:+([0-9A-F]{40}):/m.exec(shown)?.[1] ?? "",
  });
}

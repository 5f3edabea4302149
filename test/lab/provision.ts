import { systemClock } from "../../src/adapters/system-clock.ts";
import { openShell } from "../../src/adapters-shell/open-shell.ts";
import type { Playbook } from "../../src/playbook/playbook.ts";
import { provisionHost } from "../../src/provision/provision-host.ts";
import type { ProvisionRecord } from "../../src/provision/provision-record.ts";
import { shippedPlaybook } from "../fakes/shipped-playbook.ts";
import type { LabHost } from "./lab-host.ts";

export interface ProvisionOptions {
  /** Sees every line that a step prints. */
  readonly onProgress?: (line: string) => void;
  /** Sees every other line, with the time since the start. */
  readonly onLine?: (line: string, atMs: number) => void;
  readonly signal?: AbortSignal;
  /** How long to wait for another run to let go of the host. */
  readonly lockWaitMs?: number;
}

/** Provisions a lab host as a user would, over SSH as the login user. */
export async function provision(
  host: LabHost,
  playbook: Playbook,
  { onProgress = () => {}, onLine = () => {}, ...rest }: ProvisionOptions = {},
): Promise<ProvisionRecord> {
  const startedMs = performance.now();
  const say = (line: string) => {
    const atMs = performance.now() - startedMs;
    // What is as it should be fills pages.
    if (!line.startsWith("ok ")) console.log(`${host.spec.name}: ${(atMs / 1000).toFixed(0).padStart(4)} s  ${line}`);
    onLine(line, atMs);
  };
  await using shell = await openShell(host.spec, systemClock);
  return await provisionHost({
    shell,
    clock: systemClock,
    console: { info: say, warn: say, error: say, group: say, endGroup: () => {}, progress: onProgress },
    playbook,
    ...rest,
  });
}

/** The shipped A770 playbook, pointed at the guest's own copy of Intel's repository. */
export async function a770Playbook(host: LabHost): Promise<Playbook> {
  return shippedPlaybook("ubuntu-22.04-a770.yml", await a770Vars(host));
}

/** Where the guest has Intel's repository, and the fingerprint of its key, which is made with the image. */
export async function a770Vars(host: LabHost): Promise<Record<string, string>> {
  const key = "/srv/archive/gpu/intel-graphics.key";
  const shown = await host.rootOk(`gpg --show-keys --with-colons ${key} 2>/dev/null`);
  return {
    intel_repository: "http://127.0.0.1:8080/gpu/ubuntu",
    intel_key: `file://${key}`,
    intel_key_fingerprints: /^fpr:+([0-9A-F]{40}):/m.exec(shown)?.[1] ?? "",
  };
}

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { smallPlaybook } from "../fakes/shipped-playbook.ts";
import { type LabHost, startLabHost } from "./lab-host.ts";
import { a770Vars, provision } from "./provision.ts";

const OLD_KERNEL = "6.8.0-45-generic";
const PINNED_KERNEL = "6.5.0-35-generic";

/** Only the kernel, with a dead man's timer of so long. */
const kernelOnly = (trialTimeout: string) =>
  smallPlaybook(`
  - name: Kernel packages
    timeout: 30m
    apt: { packages: [linux-image-${PINNED_KERNEL}, linux-headers-${PINNED_KERNEL}, linux-modules-extra-${PINNED_KERNEL}] }
    hold: true
  - name: Boot the kernel
    needs: [Kernel packages]
    timeout: 10m
    kernel: { release: ${PINNED_KERNEL}, trial: { timeout: ${trialTimeout}, panic: 5 } }
`);

/** Only the driver, as the A770 playbook has it. */
const driverOnly = ({ intel_repository, intel_key, intel_key_fingerprints }: Record<string, string>) =>
  smallPlaybook(`
  - name: Intel GPU repository
    apt_repo:
      file: intel-gpu-jammy.list
      line: deb [arch=amd64 signed-by=/usr/share/keyrings/intel-graphics.gpg] ${intel_repository} jammy client
      key:
        url: ${intel_key}
        keyring: /usr/share/keyrings/intel-graphics.gpg
        fingerprints: ${intel_key_fingerprints}
  - name: Driver is built for the kernel only
    file: { path: /etc/dkms/intel-i915-dkms.conf, content: 'BUILD_EXCLUSIVE_KERNEL="^${PINNED_KERNEL}$"' }
  - name: Driver packages
    timeout: 30m
    apt: { packages: [intel-i915-dkms=1.24.2.17.240301.20+i29-1] }
`);

/** The host is one machine with a history: each test starts where the one before it ended. */
describe("provisionHost() when things break", () => {
  let host: LabHost;
  beforeAll(async () => {
    host = await startLabHost({ hardware: "rebar-on" });
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  it("goes back to the old kernel when the new one panics, after it finished what dpkg was interrupted in", async () => {
    await host.rootOk("dpkg --unpack /srv/archive/ubuntu/pool/main/linux-tools-6.8.0-48-generic_*.deb");
    expect(await host.rootOk("dpkg --audit")).toContain("linux-tools-6.8.0-48-generic");

    host.faults.set(PINNED_KERNEL, "panic");
    await expect(provision(host, kernelOnly("10m"))).rejects.toMatchObject({ code: "STEP_FAILED" });

    expect(host.boots).toEqual([OLD_KERNEL, PINNED_KERNEL, OLD_KERNEL]);
    expect(await host.rootOk(STATE)).toBe(`${OLD_KERNEL}\nsaved_entry=${OLD_KERNEL}`);
  });

  it("goes back by its dead man's timer when the new kernel comes up without a network", async () => {
    host.faults.set(PINNED_KERNEL, "no-network");
    await expect(provision(host, kernelOnly("60s"))).rejects.toMatchObject({ code: "STEP_FAILED" });

    expect(host.boots.slice(3)).toEqual([PINNED_KERNEL, OLD_KERNEL]);
    expect(await host.rootOk(STATE)).toBe(`${OLD_KERNEL}\nsaved_entry=${OLD_KERNEL}`);
  });

  it("keeps the new kernel once it came up", async () => {
    host.faults.clear();
    const record = await provision(host, kernelOnly("10m"));
    expect(record.converged).toBe(true);
    expect(host.boots.slice(5)).toEqual([PINNED_KERNEL]);
    expect(await host.rootOk(STATE)).toBe(`${PINNED_KERNEL}\nsaved_entry=${PINNED_KERNEL}`);
  });

  it("finishes in a second run what a first one left when it was cancelled while dkms was building", async () => {
    const playbook = driverOnly(await a770Vars(host));
    const first = new AbortController();
    const cancel = (line: string) => void (line.startsWith("Building initial module") && first.abort());
    await expect(provision(host, playbook, { onProgress: cancel, signal: first.signal })).rejects.toMatchObject({
      code: "CANCELLED",
    });

    const record = await provision(host, playbook);
    expect(record.converged).toBe(true);
    expect(await host.rootOk("dpkg --audit; modinfo -n i915")).toBe(
      `/lib/modules/${PINNED_KERNEL}/updates/dkms/i915.ko`,
    );
  });
});

/** What runs, what GRUB would boot next, and whatever is left over: broken packages, an armed timer. */
const STATE = `
  uname -r
  dpkg --audit
  grub-editenv - list | sed 's/=.*gnulinux-\\([0-9].*generic\\)-advanced.*/=\\1/'
  ls /etc/systemd/system/arc-vllm-trial.* /var/lib/arc-vllm/trial 2>/dev/null
  true`;

import { Bash } from "just-bash";
import { describe, expect, it } from "vitest";
import { probeHost } from "../../src/probe/probe-host.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fakeShell } from "../fakes/fake-shell.ts";

/** A shell whose scripts really run, in a bash with a virtual file system. */
function virtualShell(files: Record<string, string>) {
  const bash = new Bash({ files });
  return fakeShell(async (script) => {
    const { stdout, stderr, exitCode } = await bash.exec(script.text, { env: script.env });
    return { stdout, stderr, exitCode };
  });
}

const gpu = "/sys/bus/pci/devices/0000:03:00.0";
const files = {
  "/etc/os-release": 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\n',
  "/proc/meminfo": "MemTotal:       65536000 kB\n",
  "/proc/sys/kernel/random/boot_id": "4b1d7a3e-0f0c-4a2e-8a4e-9d1c0a7a5b11\n",
  "/boot/vmlinuz-6.8.0-45-generic": "",
  [`${gpu}/vendor`]: "0x8086\n",
  [`${gpu}/class`]: "0x030000\n",
  [`${gpu}/device`]: "0x56a0\n",
  [`${gpu}/resource`]: "0x81000000 0x81ffffff 0x0\n0x0 0x0 0x0\n0x0000006000000000 0x00000063ffffffff 0x14220c\n",
  [`${gpu}/drm/card0/gt/gt0/rps_min_freq_mhz`]: "300\n",
  [`${gpu}/drm/card0/gt/gt0/rps_max_freq_mhz`]: "2400\n",
  [`${gpu}/drm/renderD128/dev`]: "226:128\n",
  "/sys/bus/pci/devices/0000:00:1f.0/vendor": "0x8086\n",
  "/sys/bus/pci/devices/0000:00:1f.0/class": "0x060100\n",
  "/dev/dri/renderD128": "",
};

describe("probeHost()", () => {
  it("reads what is there in one round trip and warns about the rest", async () => {
    const shell = virtualShell(files);
    const facts = await probeHost(shell, new FakeClock());
    expect(shell.ran).toHaveLength(1);
    expect(facts).toMatchObject({
      host: "fake-host",
      os: { id: "ubuntu", versionId: "22.04" },
      memoryMiB: 64_000,
      bootId: "4b1d7a3e-0f0c-4a2e-8a4e-9d1c0a7a5b11",
      kernel: { installed: ["6.8.0-45-generic"], running: null },
      gpus: [{ bdf: "0000:03:00.0", vramMiB: 16_384, resizableBar: "full", above4g: true, clock: { minMhz: 300 } }],
      renderNodes: ["/dev/dri/renderD128"],
      dkms: [],
      docker: null,
    });
    expect(facts.evidence["os-release"]).toBe('PRETTY_NAME="Ubuntu 22.04.4 LTS"');
    expect(facts.warnings).toContain("No docker on the host");
    expect(facts.warnings).toContain("Running kernel unknown: uname gave nothing");
  });

  it("reads an empty host without failing", async () => {
    const facts = await probeHost(virtualShell({}), new FakeClock());
    expect(facts).toMatchObject({ os: null, gpus: [], cpu: null, memoryMiB: null, packages: {} });
  });

  it("fails when the connection breaks instead of giving half of the facts", async () => {
    const shell = fakeShell(() => ({ exitCode: null, stdout: "\nmark begin os-release\n" }));
    await expect(probeHost(shell, new FakeClock())).rejects.toMatchObject({ code: "HOST_CONNECTION_LOST" });
  });
});

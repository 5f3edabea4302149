import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { openShell } from "../../src/adapters-shell/open-shell.ts";
import { type LabHost, startLabHost } from "./lab-host.ts";

const UUID = "6f7b3a52-9d0e-4c53-8a4b-1f2d3c4b5a69";
const OLD_KERNEL = "6.8.0-45-generic";
const PINNED_KERNEL = "6.5.0-35-generic";
const PINNED_ENTRY = `gnulinux-advanced-${UUID}>gnulinux-${PINNED_KERNEL}-advanced-${UUID}`;

/** The host is one machine with a history: each test starts where the one before it ended. */
describe("startLabHost()", () => {
  let host: LabHost;
  beforeAll(async () => {
    host = await timed("boot", () => startLabHost());
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  it("boots what users report and is reached by the ordinary SSH adapter", async () => {
    await using shell = await openShell(host.spec, systemClock);
    const text = 'uname -r; . /etc/os-release; echo "$PRETTY_NAME"; id -un; sudo -n id -u; systemctl is-system-running';
    const result = await shell.run({ name: "look around", text }, { timeoutMs: 30_000 });
    expect(result.stdout.trim().split("\n")).toEqual([OLD_KERNEL, "Ubuntu 22.04.5 LTS", "bench", "0", "running"]);
  });

  it("shows two A770 behind their switches to the real lspci, with a BAR of 256 MiB", async () => {
    const listed = await host.rootOk(
      "lspci -Dnn -d 8086:56a0; lspci -vv -s 03:00.0; cat /sys/bus/pci/devices/0000:01:00.0/current_link_speed",
    );
    expect(listed).toContain(
      "0000:03:00.0 VGA compatible controller [0300]: Intel Corporation DG2 [Arc A770] [8086:56a0]",
    );
    expect(listed).toContain("0000:07:00.0");
    expect(listed).toContain("BAR 2: current size: 256MB, supported: 256MB 512MB 1GB 2GB 4GB 8GB 16GB");
    expect(listed).toContain("Kernel driver in use: i915");
    expect(listed).toContain("16.0 GT/s PCIe");
  });

  it("sets clocks with the real cpupower, until the next boot", async () => {
    await host.rootOk("cpupower frequency-set -g performance -d 3.8GHz");
    const files =
      "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor /sys/devices/system/cpu/cpufreq/policy0/scaling_min_freq";
    expect(await host.rootOk(`for f in ${files}; do echo $(cat $f); done`)).toBe("performance\n3800000");
  });

  it("installs the pinned kernel with apt, and the kernel's own hooks put it into GRUB's menu", async () => {
    const log = await timed("apt-get install of the kernel", () =>
      host.rootOk(`
        export DEBIAN_FRONTEND=noninteractive
        apt-get install -y linux-{image,headers,modules-extra,tools}-${PINNED_KERNEL}`),
    );
    expect(log).toContain(`update-initramfs: Generating /boot/initrd.img-${PINNED_KERNEL}`);
    expect(await host.rootOk("cat /boot/grub/grub.cfg")).toContain(`'gnulinux-${PINNED_KERNEL}-advanced-${UUID}'`);
  });

  it("boots the pinned kernel once", async () => {
    await host.rootOk(`grub-reboot '${PINNED_ENTRY}'`);
    await timed("reboot", () => host.reboot());
    expect(await host.rootOk("uname -r")).toBe(PINNED_KERNEL);
  });

  it("builds the driver with dkms on the pinned kernel and fails on the other, as Intel's does", async () => {
    const log = await timed("apt-get install of the driver", () => host.root(INSTALL_DRIVER));
    expect(log.exitCode).toBe(100);
    expect(log.stdout).toContain(`Error! Bad return status for module build on kernel: ${OLD_KERNEL} (x86_64)`);
    expect(log.stdout).toContain("post-installation script subprocess returned error exit status 10");
    expect(await host.rootOk("dpkg --audit")).toContain("half configured");

    await host.rootOk(`
      echo 'BUILD_EXCLUSIVE_KERNEL="^6[.]5[.]"' >/etc/dkms/intel-i915-dkms.conf
      DEBIAN_FRONTEND=noninteractive dpkg --configure -a`);
    expect(await host.rootOk("dpkg --audit; dkms status; modinfo -n i915")).toBe(
      `intel-i915-dkms/1.24.2.17.240301.20, ${PINNED_KERNEL}, x86_64: installed\n/lib/modules/${PINNED_KERNEL}/updates/dkms/i915.ko`,
    );
  });

  it("comes up with the driver and full Resizable BAR when the BIOS allows it and the plug was pulled", async () => {
    await host.rootOk(
      `grub-editenv - set saved_entry='${PINNED_ENTRY}'; sed -i 's/^GRUB_DEFAULT=.*/GRUB_DEFAULT=saved/' /etc/default/grub; update-grub; sync`,
    );
    await host.powerCut();
    host.powerOn("rebar-on");
    await timed("power on", () => host.waitForSsh());
    const seen = await host.rootOk(`
      uname -r; dpkg --audit; cat /sys/module/i915/version
      stat -c %s /sys/bus/pci/devices/0000:03:00.0/resource2
      dmesg | grep -c 'I915 BACKPORTED INIT'
      xpu-smi config -d 1 -t 0 --frequencyrange 2400,2400
      cat /sys/class/drm/card1/gt_min_freq_mhz`);
    expect(seen.split("\n")).toEqual([
      PINNED_KERNEL,
      "24.2.17.240301.20",
      String(16 * 1024 ** 3),
      "1",
      "Return: Succeed to change the core frequency range on GPU 1 tile 0.",
      "2400",
    ]);
  });

  it("falls silent when its network is cut and answers on the same connection when it is back", async () => {
    await using shell = await openShell(host.spec, systemClock);
    const text = "for i in {1..15}; do echo $i; sleep 1; done";
    let lastLineMs = performance.now();
    const lines: string[] = [];
    const onLine = (line: string) => {
      lines.push(line);
      lastLineMs = performance.now();
    };
    const running = shell.run({ name: "count", text }, { timeoutMs: 600_000, onLine });
    while (lines.length === 0) await sleep(50);
    await host.cutNetwork();
    while (performance.now() - lastLineMs < 4000) await sleep(50);
    const heard = lines.length;
    await host.restoreNetwork();
    expect((await running).exitCode).toBe(0);
    expect(heard).toBeLessThan(lines.length);
    expect(lines).toEqual(Array.from({ length: 15 }, (_, index) => String(index + 1)));
  });
});

const INSTALL_DRIVER = `
  exec 2>&1
  curl -fsS http://127.0.0.1:8080/gpu/intel-graphics.key | gpg --dearmor -o /usr/share/keyrings/intel-graphics.gpg
  echo 'deb [arch=amd64 signed-by=/usr/share/keyrings/intel-graphics.gpg] http://127.0.0.1:8080/gpu/ubuntu jammy client' \\
    >/etc/apt/sources.list.d/intel-gpu-jammy.list
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install -y intel-i915-dkms=1.24.2.17.240301.20+i29-1 intel-fw-gpu=2024.17.5-329~22.04 xpu-smi=1.2.39-29~22.04`;

/** Prints how long the lab takes, so that its cost stays in sight. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const result = await work();
  console.log(`lab: ${what}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return result;
}

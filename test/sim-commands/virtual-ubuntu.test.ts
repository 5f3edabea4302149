import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { runScript } from "../../src/sim/bash-session.ts";
import { hostSpeedOf } from "../../src/sim-machine/hardware.ts";
import {
  ADD_INTEL_REPOSITORY,
  BOOT_KERNEL,
  BOOT_KERNEL_ONCE,
  bootedMachine,
  INSTALL_KERNEL,
} from "../sim/booted-machine.ts";

const DKMS = "intel-i915-dkms=1.24.2.17.240301.20+i29-1";

describe("virtual Ubuntu", () => {
  it("starts in the bad state that users report", async () => {
    const { run, machine } = await bootedMachine();
    const facts = await run(
      "uname -r; grep PRETTY /etc/os-release; id -nG; cat /sys/devices/system/cpu/cpufreq/policy0/scaling_governor; cat /sys/class/drm/card*/gt/gt0/rps_min_freq_mhz; command -v dkms || echo no dkms; systemctl is-enabled apt-daily-upgrade.timer",
    );
    expect(facts.stdout.trim().split("\n")).toEqual([
      "6.8.0-45-generic",
      'PRETTY_NAME="Ubuntu 22.04.5 LTS"',
      "arc adm sudo",
      "powersave",
      "300",
      "300",
      "no dkms",
      "enabled",
    ]);
    expect(hostSpeedOf(machine)).toEqual({ cpuMhz: 1200, gpuMhz: 900, driver: "in-tree" });
  });

  it("shows one card with its whole memory mapped and one with 256 MiB until the BIOS is changed", async () => {
    const { run, reboot, machine } = await bootedMachine();
    const sizes = "stat -c %s /sys/bus/pci/devices/0000:03:00.0/resource2 /sys/bus/pci/devices/0000:0a:00.0/resource2";
    expect((await run(sizes)).stdout).toBe(`${16 * 2 ** 30}\n${256 * 2 ** 20}\n`);
    machine.firmware.resizableBar = true;
    await reboot();
    expect((await run(sizes)).stdout).toBe(`${16 * 2 ** 30}\n${16 * 2 ** 30}\n`);
  });

  it("runs another kernel only after a reboot", async () => {
    const { run, sudo, reboot } = await bootedMachine();
    await sudo(INSTALL_KERNEL + BOOT_KERNEL);
    expect((await run("uname -r")).stdout).toBe("6.8.0-45-generic\n");
    await reboot();
    expect((await run("uname -r; cat /proc/cmdline")).stdout).toContain("BOOT_IMAGE=/boot/vmlinuz-6.5.0-35-generic");
  });

  it("forgets a one-time entry before it boots it", async () => {
    const { run, sudo, reboot } = await bootedMachine();
    await sudo(INSTALL_KERNEL + BOOT_KERNEL_ONCE);
    await reboot();
    expect((await run("uname -r")).stdout).toBe("6.5.0-35-generic\n");
    await reboot();
    expect((await run("uname -r")).stdout).toBe("6.8.0-45-generic\n");
  });

  it("falls back to the old kernel when the one on trial panics", async () => {
    const { run, sudo, reboot } = await bootedMachine({ faults: ["kernel-hangs"] });
    await sudo(INSTALL_KERNEL + BOOT_KERNEL_ONCE);
    await reboot();
    expect((await run("uname -r")).stdout).toBe("6.8.0-45-generic\n");
    expect((await run("journalctl -b -1 -k -p err --no-pager -n 20")).stdout).toContain("Kernel panic");
  });

  it("only adds the dkms module while the headers are missing, and builds it when they come", async () => {
    const { sudo, reboot } = await bootedMachine();
    await sudo(ADD_INTEL_REPOSITORY + INSTALL_KERNEL.replace("linux-headers-6.5.0-35-generic ", "") + BOOT_KERNEL);
    await reboot();
    const added = await sudo(`apt-get install -y ${DKMS}; dkms status`);
    expect(added.stdout).toContain("kernel headers for this kernel does not seem to be installed");
    expect(added.stdout).toMatch(/^intel-i915-dkms\/1\.24\.2\.17\.240301\.20: added$/m);

    const built = await sudo("apt-get install -y linux-headers-6.5.0-35-generic; dkms status; modinfo -n i915");
    expect(built.stdout).toMatch(/^intel-i915-dkms\/1\.24\.2\.17\.240301\.20, 6\.5\.0-35-generic, x86_64: installed$/m);
    expect(built.stdout).toMatch(/updates\/dkms\/i915\.ko$/m);
  });

  it("fails to build the A-series driver on 6.8 and leaves dpkg half configured (ipex-llm#12156)", async () => {
    const { sudo } = await bootedMachine();
    const result = await sudo(`${ADD_INTEL_REPOSITORY}; apt-get install -y ${DKMS}; echo rc=$?; dpkg --audit`);
    expect(result.stdout).toContain("Error! Bad return status for module build on kernel: 6.8.0-45-generic (x86_64)");
    expect(result.stdout).toContain("rc=100");
    expect(result.stderr).toContain("post-installation script subprocess returned error exit status 10");
    expect(result.stdout).toMatch(/^ intel-i915-dkms$/m);
  });

  it("loads the dkms driver at the next boot, and loses clocks that no unit sets again", async () => {
    const { sudo, reboot, machine } = await bootedMachine();
    await sudo(INSTALL_KERNEL + ADD_INTEL_REPOSITORY + BOOT_KERNEL);
    await reboot();
    await sudo(`apt-get install -y ${DKMS} xpu-smi`);
    const tune =
      "cpupower frequency-set -g performance; xpu-smi config -d 0 -t 0 --frequencyrange 2400,2400; xpu-smi config -d 1 -t 0 --frequencyrange 2400,2400";
    expect((await sudo(tune)).stdout).toContain("Succeed to change the core frequency range on GPU 1 tile 0.");
    expect(hostSpeedOf(machine)).toEqual({ cpuMhz: 4200, gpuMhz: 2400, driver: "in-tree" });

    await reboot();
    expect(hostSpeedOf(machine)).toEqual({ cpuMhz: 1200, gpuMhz: 900, driver: "dkms" });

    const unit = `[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/usr/bin/cpupower frequency-set -g performance\\nExecStart=/usr/bin/xpu-smi config -d 0 -t 0 --frequencyrange 2400,2400\\nExecStart=/usr/bin/xpu-smi config -d 1 -t 0 --frequencyrange 2400,2400\\n[Install]\\nWantedBy=multi-user.target\\n`;
    await sudo(
      `printf '${unit}' > /etc/systemd/system/tune.service; systemctl daemon-reload; systemctl enable tune.service`,
    );
    await reboot();
    expect(hostSpeedOf(machine)).toEqual({ cpuMhz: 4200, gpuMhz: 2400, driver: "dkms" });
  });

  it("does not load a dkms module under Secure Boot", async () => {
    const { run, sudo, reboot } = await bootedMachine({ faults: ["secure-boot"] });
    await sudo(INSTALL_KERNEL + ADD_INTEL_REPOSITORY + BOOT_KERNEL);
    await reboot();
    await sudo(`apt-get install -y ${DKMS}`);
    await reboot();
    const facts = await run("mokutil --sb-state; ls /dev/dri 2>&1; sudo dmesg | grep rejected");
    expect(facts.stdout).toContain("SecureBoot enabled");
    expect(facts.stdout).toContain("No such file or directory");
    expect(facts.stdout).toContain("is rejected");
  });

  it("refuses clocks that cross or leave the hardware's window, and says so", async () => {
    const { sudo } = await bootedMachine();
    const at = "/sys/class/drm/card0/gt/gt0";
    const result = await sudo(
      `echo 1000 > ${at}/rps_max_freq_mhz; echo 2400 > ${at}/rps_min_freq_mhz; echo 9000 > ${at}/rps_max_freq_mhz; cat ${at}/rps_min_freq_mhz ${at}/rps_max_freq_mhz`,
    );
    expect(result.stdout).toBe("300\n1000\n");
    expect(result.stderr.match(/Invalid argument/g)).toHaveLength(2);
  });

  it("asks for the key of a repository before it reads it", async () => {
    const { sudo } = await bootedMachine();
    const result = await sudo(
      "echo 'deb [signed-by=/usr/share/keyrings/none.gpg] https://repositories.intel.com/gpu/ubuntu jammy client' > /etc/apt/sources.list.d/i.list; apt-get update",
    );
    expect(result).toMatchObject({ exitCode: 100, stderr: expect.stringContaining("NO_PUBKEY") });
  });

  it("refuses what an ordinary user may not do", async () => {
    const { run } = await bootedMachine();
    for (const command of [
      "apt-get install -y gawk",
      "systemctl stop docker",
      "dmesg",
      "docker ps",
      "echo x > /etc/motd",
    ]) {
      const result = await run(command);
      expect(result.exitCode, command).not.toBe(0);
      expect(result.stderr, command).not.toBe("");
    }
    expect((await run("sudo -n id -u; sudo -n env A=1 bash -c 'echo $A'")).stdout).toBe("0\n1\n");
  });

  it("counts a new group from the next login on", async () => {
    const { run, sudo } = await bootedMachine();
    const login = run("sudo gpasswd -a arc render >/dev/null; id -nG; id -nG arc");
    expect((await login).stdout).toBe("arc adm sudo\narc adm sudo render\n");
    expect((await run("id -nG")).stdout).toBe("arc adm sudo render\n");
    expect((await sudo("getent group render")).stdout).toBe("render:x:109:arc\n");
  });

  it("holds packages against versions that apt would choose", async () => {
    const { sudo } = await bootedMachine();
    const result = await sudo(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a format of dpkg-query.
      "apt-mark hold linux-generic-hwe-22.04; apt-get install -y linux-generic-hwe-22.04; dpkg-query -W -f='${db:Status-Abbrev}${Version}' linux-generic-hwe-22.04",
    );
    expect(result.stdout).toContain("already the newest version");
    expect(result.stdout).toMatch(/hi 6\.8\.0-45\.45~22\.04\.1$/);
  });

  it("has no candidate for a kernel that the archive has dropped", async () => {
    const { sudo } = await bootedMachine({ faults: ["kernel-not-in-archive"] });
    const result = await sudo("apt-get install -y linux-image-6.5.0-35-generic");
    expect(result).toMatchObject({
      exitCode: 100,
      stderr: "E: Unable to locate package linux-image-6.5.0-35-generic\n",
    });
  });

  it("keeps dpkg's lock from callers that do not wait for it", async () => {
    const { sudo } = await bootedMachine({ faults: ["apt-lock-held"] });
    expect((await sudo("apt-get install -y gawk")).stderr).toContain("It is held by process 1287 (unattended-upgr)");
    expect((await sudo("apt-get -y -o DPkg::Lock::Timeout=600 install gawk")).exitCode).toBe(0);
  });

  it("runs exit traps with the functions of their script", async () => {
    const { run } = await bootedMachine();
    const result = await run(
      'clean() { echo "cleaned $1"; }\nf=$(mktemp)\ntrap \'clean "$f"\' EXIT\necho "in $f"\nexit 4',
    );
    expect(result.exitCode).toBe(4);
    expect(result.stdout).toMatch(/^in (\/tmp\/\S+)\ncleaned \1\n$/);
  });

  it("keeps a lock while the script that took it runs, and hears that script before its end", async () => {
    const { sudo, machine } = await bootedMachine();
    const release = new AbortController();
    const heard: string[] = [];
    const root = { machine, user: "root", uid: 0, groups: ["root"], signal: release.signal, live: null };
    const holder = runScript(
      { ...root, speak: (line) => heard.push(line) },
      "exec 9>>/run/lock/x\nflock -n 9 || exit 75\necho @locked $$\nwhile :; do sleep 60 9>&-; done",
    );
    while (heard.length === 0) await systemClock.sleep(1);
    const pid = heard[0]?.split(" ")[1];
    const ask = `exec 9>>/run/lock/x; flock -n -E 75 9; echo rc=$?; flock -n /run/lock/x true || echo busy; ls -d /proc/${pid}`;
    expect((await sudo(ask)).stdout).toBe(`rc=75\nbusy\n/proc/${pid}\n`);

    release.abort();
    await holder;
    expect((await sudo(ask)).stdout).toBe("rc=0\nbusy\n");
  });
});

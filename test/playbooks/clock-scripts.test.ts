import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "arc-vllm-clock-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const read = (path: string) => readFileSync(join(root, path), "utf8").trim();

function run(script: string, ...args: string[]): { exitCode: number; output: string } {
  const path = join(import.meta.dirname, "../../playbooks/files", script);
  const env = { ARC_ROOT: root, PATH: `${root}/bin:/usr/bin:/bin` };
  try {
    return { exitCode: 0, output: execFileSync("bash", [path, ...args], { env, encoding: "utf8", stdio: "pipe" }) };
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    return { exitCode: status, output: stdout };
  }
}

function card(bdf: string, device: string, files: Record<string, string>): void {
  const folder = `sys/bus/pci/devices/${bdf}`;
  write(`${folder}/vendor`, "0x8086\n");
  write(`${folder}/class`, "0x030000\n");
  write(`${folder}/device`, `${device}\n`);
  for (const [name, value] of Object.entries(files)) write(`${folder}/${name}`, `${value}\n`);
}

const i915 = (gt: string, min: number, max: number) => ({
  [`${gt}/rps_min_freq_mhz`]: String(min),
  [`${gt}/rps_max_freq_mhz`]: String(max),
  [`${gt}/rps_RPn_freq_mhz`]: "300",
  [`${gt}/rps_RP0_freq_mhz`]: "2400",
});

describe("gpu-clock.sh", () => {
  const gt = "sys/bus/pci/devices/0000:03:00.0/drm/card1/gt/gt0";
  const window = () => [read(`${gt}/rps_min_freq_mhz`), read(`${gt}/rps_max_freq_mhz`)];

  it.each([
    { name: "closes an open window", from: [300, 2400], to: ["2400", "2400"], want: ["2400", "2400"] },
    { name: "opens a closed one", from: [2400, 2400], to: ["300", "2000"], want: ["300", "2000"] },
    { name: "clamps to what the card has", from: [300, 2000], to: ["100", "9000"], want: ["300", "2400"] },
  ])("$name", ({ from: [min = 0, max = 0], to, want }) => {
    card("0000:03:00.0", "0x56a0", i915("drm/card1/gt/gt0", min, max));
    expect(run("gpu-clock.sh", "check", ...to).exitCode).toBe(1);
    expect(run("gpu-clock.sh", "set", ...to).exitCode).toBe(0);
    expect(window()).toEqual(want);
    expect(run("gpu-clock.sh", "check", ...to).exitCode).toBe(0);
  });

  it("reads only when it checks", () => {
    card("0000:03:00.0", "0x56a0", i915("drm/card1/gt/gt0", 300, 2400));
    expect(run("gpu-clock.sh", "check", "2400", "2400")).toEqual({
      exitCode: 1,
      output: "0000:03:00.0: 300,2400 MHz, wanted 2400,2400 MHz\n",
    });
    expect(window()).toEqual(["300", "2400"]);
  });

  it("knows the files of xe and of older i915", () => {
    const old = {
      "drm/card0/gt_min_freq_mhz": "300",
      "drm/card0/gt_max_freq_mhz": "2400",
      "drm/card0/gt_RPn_freq_mhz": "300",
      "drm/card0/gt_RP0_freq_mhz": "2400",
    };
    card("0000:03:00.0", "0x56a0", old);
    const freq = "tile0/gt0/freq0";
    card("0000:04:00.0", "0xe20b", {
      [`${freq}/min_freq`]: "400",
      [`${freq}/max_freq`]: "2850",
      [`${freq}/rpn_freq`]: "400",
      [`${freq}/rp0_freq`]: "2850",
    });
    expect(run("gpu-clock.sh", "set", "2400", "2400").exitCode).toBe(0);
    expect(read("sys/bus/pci/devices/0000:03:00.0/drm/card0/gt_min_freq_mhz")).toBe("2400");
    expect(read("sys/bus/pci/devices/0000:04:00.0/tile0/gt0/freq0/max_freq")).toBe("2400");
  });

  it("leaves integrated graphics alone and fails when there is no card", () => {
    card("0000:00:02.0", "0xa780", i915("drm/card0/gt/gt0", 300, 1600));
    expect(run("gpu-clock.sh", "set", "2400", "2400").exitCode).toBe(1);
    expect(read("sys/bus/pci/devices/0000:00:02.0/drm/card0/gt/gt0/rps_min_freq_mhz")).toBe("300");
  });

  it("says so when a card has no frequency files", () => {
    card("0000:03:00.0", "0x56a0", {});
    expect(run("gpu-clock.sh", "set", "2400", "2400")).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("is its driver loaded?"),
    });
  });

  it.each([
    { version: "    Version: 1.3.2.20250912", want: "config -d 0 -t 0 --frequencyrange 2400,2400" },
    { version: "xpu-smi version 2.1.0", want: "config --device 0 --frequencyrange 2350,2400" },
  ])("asks xpu-smi ($version) in its own words when sysfs does not take the value", ({ version, want }) => {
    card("0000:03:00.0", "0x56a0", i915("drm/card1/gt/gt0", 300, 2400));
    // A file that cannot be written, also by root: a directory stands in its place for writing only.
    rmSync(join(root, gt, "rps_min_freq_mhz"));
    mkdirSync(join(root, gt, "rps_min_freq_mhz"));
    const smi = `#!/bin/bash\necho "$*" >> ${root}/asked\ncase $1 in -v) echo '${version}' ;; discovery) printf 'Device ID,PCI BDF Address\\n0,"0000:03:00.0"\\n' ;; esac\n`;
    write("bin/xpu-smi", smi);
    chmodSync(join(root, "bin/xpu-smi"), 0o755);
    expect(run("gpu-clock.sh", "set", "2400", "2400").exitCode).toBe(1);
    expect(read("asked").split("\n")).toContain(want);
  });
});

describe("cpu-performance.sh", () => {
  const policy = (index: number, top: number) => {
    const folder = `sys/devices/system/cpu/cpufreq/policy${index}`;
    write(`${folder}/scaling_governor`, "powersave\n");
    write(`${folder}/scaling_min_freq`, "800000\n");
    write(`${folder}/cpuinfo_max_freq`, `${top}\n`);
    return folder;
  };

  it("sets governor and minimum, clamped to each policy", () => {
    const [big, small] = [policy(0, 5_800_000), policy(8, 3_000_000)];
    expect(run("cpu-performance.sh", "check", "3800000").exitCode).toBe(1);
    expect(run("cpu-performance.sh", "set", "3800000").exitCode).toBe(0);
    expect([read(`${big}/scaling_governor`), read(`${big}/scaling_min_freq`)]).toEqual(["performance", "3800000"]);
    expect(read(`${small}/scaling_min_freq`)).toBe("3000000");
    expect(run("cpu-performance.sh", "check", "3800000").exitCode).toBe(0);
  });

  it("names each policy that is not as wanted", () => {
    policy(0, 5_800_000);
    expect(run("cpu-performance.sh", "check", "3800000").output).toBe(
      "policy0: governor powersave, wanted performance\npolicy0: minimum 800000 kHz, wanted 3800000 kHz\n",
    );
  });

  it("fails on a host without cpufreq", () => {
    expect(run("cpu-performance.sh", "set", "3800000")).toEqual({
      exitCode: 1,
      output: "no cpufreq policy on this host\n",
    });
  });
});

import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { openLocalShell } from "../../src/adapters-shell/local-shell.ts";
import { watchHost } from "../../src/measure/host-sampler.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fakeShell } from "../fakes/fake-shell.ts";

/** A folder that stands for / of a host. */
function rootWith(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "arc-vllm-root-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  return root;
}

function clocks(folder: string, names: readonly string[], mhz: readonly number[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [`${folder}/${name}`, String(mhz[index])]));
}

const i915 = "/sys/bus/pci/devices/0000:03:00.0";
const xe = "/sys/bus/pci/devices/0000:0a:00.0";
const host = {
  "/proc/uptime": "8123.45 9000.00",
  "/proc/loadavg": "3.21 1.00 0.50 2/400 1234",
  "/proc/stat": "cpu  100 10 50 700 40 3 2 1 0 0\ncpu0 1 2 3 4",
  [`${i915}/vendor`]: "0x8086",
  [`${i915}/class`]: "0x030000",
  [`${i915}/device`]: "0x56a0",
  ...clocks(
    `${i915}/drm/card1/gt/gt0`,
    ["rps_act_freq_mhz", "rps_cur_freq_mhz", "rps_min_freq_mhz", "rps_max_freq_mhz"],
    [1850, 2400, 2400, 2400],
  ),
  [`${i915}/drm/card1/gt/gt0/throttle_reason_status`]: "1",
  [`${i915}/drm/card1/gt/gt0/throttle_reason_pl1`]: "1",
  [`${i915}/drm/card1/gt/gt0/throttle_reason_thermal`]: "0",
  [`${i915}/hwmon/hwmon3/name`]: "i915",
  [`${i915}/hwmon/hwmon3/energy1_input`]: "123000000",
  [`${xe}/vendor`]: "0x8086",
  [`${xe}/class`]: "0x030000",
  [`${xe}/device`]: "0xe20b",
  ...clocks(`${xe}/tile0/gt0/freq0`, ["act_freq", "cur_freq", "min_freq", "max_freq"], [0, 2850, 2850, 2850]),
  [`${xe}/tile0/gt0/freq0/throttle/status`]: "1",
  [`${xe}/tile0/gt0/freq0/throttle/reason_thermal`]: "1",
  [`${xe}/tile0/gt0/freq0/throttle/reason_pl1`]: "0",
  [`${xe}/hwmon/hwmon4/name`]: "xe",
  [`${xe}/hwmon/hwmon4/energy2_input`]: "5000000",
  [`${xe}/hwmon/hwmon4/temp2_input`]: "61000",
  "/sys/bus/pci/devices/0000:00:1f.0/vendor": "0x8086",
  "/sys/bus/pci/devices/0000:00:1f.0/class": "0x060100",
  "/sys/bus/pci/devices/0000:00:1f.0/device": "0x7a84",
  "/sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "4200000",
  "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "performance",
  "/sys/devices/system/cpu/cpufreq/policy0/scaling_min_freq": "3800000",
  "/sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "4500000",
  "/sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq": "3800000",
  "/sys/class/powercap/intel-rapl:0/name": "package-0",
  "/sys/class/powercap/intel-rapl:0/energy_uj": "7000000",
  "/sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850",
  "/sys/class/powercap/intel-rapl:0:0/name": "core",
  "/sys/class/powercap/intel-rapl:0:0/energy_uj": "1",
};

/** Really runs the sampler on this machine until it has looked often enough. */
async function watchFor(count: number, root: string) {
  await using shell = openLocalShell({ connection: "local", name: "here", address: "127.0.0.1" }, systemClock);
  await using watch = watchHost(shell, systemClock, { sudo: false, root });
  for (let wait = 0; wait < 100 && watch.seen.samples.length < count; wait += 1) await systemClock.sleep(100);
  return { cpuMaxMhz: watch.seen.cpuMaxMhz, samples: [...watch.seen.samples] };
}

describe("watchHost()", () => {
  it("reads both drivers, the CPU and its package from their files", async () => {
    const { cpuMaxMhz, samples } = await watchFor(1, rootWith(host));
    expect(cpuMaxMhz).toBe(4500);
    expect(samples[0]).toMatchObject({
      upS: 8123.45,
      load1: 3.21,
      ticks: { busy: 166, all: 906 },
      governor: "performance",
      cpuMhz: [4200, 3800],
      cpuWindowMinMhz: 3800,
      packages: [{ joules: 7, range: 262_143.32885 }],
      gpus: [
        { bdf: "0000:03:00.0", actualMhz: 1850, windowMinMhz: 2400, throttle: ["pl1"], joules: 123 },
        { bdf: "0000:0a:00.0", actualMhz: 0, requestedMhz: 2850, throttle: ["thermal"], joules: 5, temperatureC: 61 },
      ],
    });
  });

  it("knows this machine's load, and nothing about cards that it does not have", async () => {
    const { samples } = await watchFor(2, "");
    const [first, second] = samples;
    expect(first?.load1).toBeGreaterThanOrEqual(0);
    expect((second?.upS ?? 0) - (first?.upS ?? 0)).toBeGreaterThan(0.5);
    expect(second?.ticks?.all).toBeGreaterThan(first?.ticks?.all ?? Number.POSITIVE_INFINITY);
  });

  it("sees nothing of a bare host, without failing", async () => {
    const { cpuMaxMhz, samples } = await watchFor(1, rootWith({}));
    expect(cpuMaxMhz).toBeNull();
    expect(samples[0]).toMatchObject({ upS: null, load1: null, ticks: null, cpuMhz: [], packages: [], gpus: [] });
  });

  it("stamps what the host prints with our clock, and leaves out what it complains about", async () => {
    const clock = new FakeClock();
    clock.advance(500);
    const stdout = "host gpu0=0000:03:00.0/0x56a0 cpumax=4200000\nsample up=1.00 gpu0.act=2400\n";
    await using watch = watchHost(
      fakeShell(() => ({ stdout, stderr: "sample up=2.00\n" })),
      clock,
      { sudo: false },
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(watch.seen.cpuMaxMhz).toBe(4200);
    expect(watch.seen.samples).toMatchObject([{ atMs: 500, upS: 1, gpus: [{ actualMhz: 2400 }] }]);
  });

  it("sees nothing when the host is gone, and says nothing", async () => {
    const shell = fakeShell(() => {
      throw new Error("no route to host");
    });
    await using watch = watchHost(shell, new FakeClock(), { sudo: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(watch.seen).toMatchObject({ cpuMaxMhz: null, samples: [] });
  });

  it("becomes root only when it may, and stops with the run", async () => {
    const cancel = new AbortController();
    const shell = fakeShell();
    await using _ = watchHost(shell, new FakeClock(), { sudo: true, signal: cancel.signal });
    expect(shell.ran[0]).toMatchObject({ sudo: true, env: { ARC_ROOT: "" } });
    cancel.abort();
    expect(shell.ran[0]?.options.signal?.aborted).toBe(true);
  });

  it.each([
    {
      version: "1.2.39",
      block: "CLI:\\n    Version: 1.2.39.20240906\\nService:\\n    Level Zero Version: 1.17.6",
      takes: "dump -d -1 -m 1,3,18 -i 2",
    },
    { version: "2.1.0", block: "xpu-smi 2.1.0", takes: "dump --device -1 --metrics 1,3,18 --interval 2 --format csv" },
  ])("asks xpu-smi $version in the words it knows", async ({ block, takes }) => {
    const folder = mkdtempSync(join(tmpdir(), "arc-vllm-bin-"));
    const program = join(folder, "xpu-smi");
    const rows = [
      "Timestamp, DeviceId, GPU Power (W), GPU Core Temperature (C), GPU Memory Used (MiB)",
      "06:14:46.000,    0, 114.61, 58.00, 9001.50",
    ];
    const answers = [`"-v") printf '${block}\\n' ;;`, `"discovery --dump 1,11") printf '0,"0000:03:00.0"\\n' ;;`];
    const dump = `"${takes}") printf '${rows.join("\\n")}\\n'; exec sleep 60 ;;`;
    writeFileSync(program, `#!/bin/bash\ncase "$*" in\n${[...answers, dump].join("\n")}\nesac\n`);
    chmodSync(program, 0o755);
    const before = process.env["PATH"];
    process.env["PATH"] = `${folder}:${before}`;
    const { samples } = await watchFor(3, rootWith(host)).finally(() => {
      process.env["PATH"] = before;
    });
    expect(samples.at(-1)?.gpus[0]).toMatchObject({ temperatureC: 58, vramUsedMiB: 9001.5, joules: 123 });
  });
});

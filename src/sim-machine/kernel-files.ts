import { A770_MAX_MHZ } from "../sim-vllm/performance-model.ts";
import { GPU_FLOOR_MHZ, hasFullBar, LOCAL_MEMORY_BYTES } from "./hardware.ts";
import { actualCpuKhz, actualGpuMhz, cpuWatts, energyCounter, gpuWatts, requestedGpuMhz } from "./live-state.ts";
import type { Attribute } from "./machine-disk.ts";
import type { Boot, CpuPolicy, VirtualCpu, VirtualGpu, VirtualMachine } from "./virtual-machine.ts";

/** Builds /proc, /sys and /dev as the kernel that was just booted shows them. */
export async function mountKernelFiles(machine: VirtualMachine, boot: Boot): Promise<void> {
  for (const folder of ["/proc", "/sys", "/dev/dri"]) await machine.disk.forget(folder);
  addProc(machine, boot);
  await addCpufreq(machine);
  addRapl(machine);
  await addPciTree(machine, boot);
  if (boot.driver !== null) await addI915(machine, boot.release, boot.driver);
  if (machine.firmware.secureBoot)
    machine.disk.addFile("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  machine.disk.mkdirSync("/sys/firmware/efi/efivars", { recursive: true });
}

function addProc(machine: VirtualMachine, boot: Boot): void {
  const { disk, hardware } = machine;
  const upSeconds = () => ((machine.clock.nowMs() - boot.atMs) / 1000).toFixed(2);
  const cpus = Array.from({ length: hardware.cpu.threads }, (_, index) => cpuInfo(hardware.cpu, index));
  disk.addFile("/proc/cpuinfo", cpus.join("\n"));
  disk.addFile("/proc/meminfo", memInfo(hardware.memoryKib));
  disk.addFile("/proc/cmdline", `${boot.commandLine}\n`);
  disk.addFile("/proc/sys/kernel/random/boot_id", `${boot.id}\n`);
  disk.addFile("/proc/sys/kernel/osrelease", `${boot.release}\n`);
  disk.addFile("/proc/sys/kernel/hostname", "arc-sim\n");
  disk.addFile("/proc/sys/kernel/dmesg_restrict", "1\n");
  disk.addFile("/proc/loadavg", "0.08 0.12 0.10 1/412 2211\n");
  disk.addFile(
    "/proc/modules",
    moduleNames(boot)
      .map((name) => `${name} 16384 0 - Live 0x0000000000000000`)
      .join("\n"),
  );
  disk.addFile("/proc/1/comm", "systemd\n");
  disk.addFile("/proc/mounts", "/dev/nvme0n1p2 / ext4 rw,relatime 0 0\nsysfs /sys sysfs rw 0 0\n");
  disk.addAttribute("/proc/uptime", { get: () => `${upSeconds()} ${upSeconds()}\n` });
}

/** Modules that are loaded, newest first as lsmod lists them. */
export function moduleNames({ driver }: Boot): readonly string[] {
  const graphics = driver === "dkms" ? ["i915", "i915_spi", "intel_vsec", "drm_buddy"] : ["i915", "drm_buddy"];
  return [...(driver === null ? [] : graphics), "drm_kms_helper", "drm", "intel_rapl_msr", "nvme", "e1000e"];
}

/** The srcversion of a build of i915 is all that tells one loaded module from another. */
export function i915SrcVersion(release: string, from: "in-tree" | "dkms"): string {
  const seed = [...`${release}:${from}`].reduce(
    (mixed, letter) => (mixed * 33 + letter.charCodeAt(0)) % 0xffffff,
    5381,
  );
  return seed.toString(16).toUpperCase().padStart(6, "0").padEnd(23, "A7D04B5E9C13F862D");
}

async function addCpufreq(machine: VirtualMachine): Promise<void> {
  const { disk, hardware } = machine;
  const { cpu } = hardware;
  const base = "/sys/devices/system/cpu";
  disk.addFile(`${base}/online`, `0-${cpu.threads - 1}\n`);
  disk.addFile(`${base}/intel_pstate/status`, "active\n");
  disk.addFile(`${base}/intel_pstate/no_turbo`, "0\n");
  for (const [index, _] of cpu.policies.entries()) {
    const folder = `${base}/cpufreq/policy${index}`;
    // Read anew each time: a boot replaces the policies.
    const policy = () => cpu.policies[index] as CpuPolicy;
    for (const [name, attribute] of Object.entries(policyAttributes(cpu, policy))) {
      disk.addAttribute(`${folder}/${name}`, attribute);
    }
    disk.addAttribute(`${folder}/scaling_cur_freq`, { get: () => `${actualCpuKhz(machine, index, policy())}\n` });
    disk.addFile(`${folder}/affected_cpus`, `${index}\n`);
    await disk.addSymlink(`../cpufreq/policy${index}`, `${base}/cpu${index}/cpufreq`);
  }
}

function policyAttributes(cpu: VirtualCpu, policy: () => CpuPolicy): Record<string, Attribute> {
  const fixed = (text: string): Attribute => ({ get: () => `${text}\n` });
  const clamp = (khz: number) => Math.min(cpu.maxKhz, Math.max(cpu.minKhz, khz));
  return {
    scaling_driver: fixed("intel_pstate"),
    scaling_available_governors: fixed("performance powersave"),
    cpuinfo_min_freq: fixed(String(cpu.minKhz)),
    cpuinfo_max_freq: fixed(String(cpu.maxKhz)),
    energy_performance_preference: {
      get: () => `${policy().governor === "performance" ? "performance" : "balance_performance"}\n`,
      set: () => true,
    },
    scaling_governor: {
      get: () => `${policy().governor}\n`,
      set: (text) => /^(performance|powersave)$/.test(text) && assign(policy(), { governor: text }),
    },
    scaling_min_freq: {
      get: () => `${policy().minKhz}\n`,
      // The policy is brought into order rather than refused: a minimum above the maximum becomes the maximum.
      set: (text) => /^\d+$/.test(text) && assign(policy(), { minKhz: Math.min(clamp(Number(text)), policy().maxKhz) }),
    },
    scaling_max_freq: {
      get: () => `${policy().maxKhz}\n`,
      set: (text) =>
        /^\d+$/.test(text) &&
        assign(policy(), { maxKhz: clamp(Number(text)), minKhz: Math.min(policy().minKhz, clamp(Number(text))) }),
    },
  };
}

async function addPciTree(machine: VirtualMachine, boot: Boot): Promise<void> {
  const { disk } = machine;
  for (const gpu of machine.hardware.gpus) {
    const fullBar = hasFullBar(gpu, machine.firmware.resizableBar);
    const { text, bytes } = barLine(gpu, fullBar);
    const files: Record<string, string> = {
      vendor: "0x8086",
      device: "0x56a0",
      class: "0x030000",
      revision: "0x08",
      subsystem_vendor: "0x8086",
      subsystem_device: "0x1020",
      numa_node: "0",
      local_cpulist: `0-${machine.hardware.cpu.threads - 1}`,
      // Every Arc endpoint says this; the truth stands at the card's switch (Intel article 000094587).
      current_link_speed: "2.5 GT/s PCIe",
      current_link_width: "1",
      max_link_speed: "2.5 GT/s PCIe",
      max_link_width: "1",
      resource: text,
      resource2_resize: "0000000000007f00",
    };
    for (const [name, value] of Object.entries(files)) disk.addFile(`${gpu.sysPath}/${name}`, `${value}\n`);
    disk.addFile(`${gpu.sysPath}/resource0`, "", { size: 16 * 2 ** 20 });
    disk.addFile(`${gpu.sysPath}/resource2`, "", { size: bytes });
    addSwitch(machine, gpu);
    const up = gpu.sysPath.split("/").length - 2;
    await disk.addSymlink(`../../..${gpu.sysPath.slice(4)}`, `/sys/bus/pci/devices/${gpu.bdf}`);
    if (boot.driver === null) continue;
    await disk.addSymlink(`${"../".repeat(up)}bus/pci/drivers/i915`, `${gpu.sysPath}/driver`);
    await disk.addSymlink(`../../../..${gpu.sysPath.slice(4)}`, `/sys/bus/pci/drivers/i915/${gpu.bdf}`);
  }
}

/** The upstream port of the card's own switch, two levels up, has the link to the board. */
function addSwitch({ disk }: VirtualMachine, gpu: VirtualGpu): void {
  const [downstream, upstream] = [1, 2].map((levels) => gpu.sysPath.split("/").slice(0, -levels).join("/"));
  for (const [folder, device] of [
    [downstream, "0x4fa4"],
    [upstream, "0x4fa0"],
  ] as const) {
    const files = {
      vendor: "0x8086",
      device,
      class: "0x060400",
      max_link_speed: "16.0 GT/s PCIe",
      max_link_width: "16",
    };
    for (const [name, value] of Object.entries(files)) disk.addFile(`${folder}/${name}`, `${value}\n`);
    disk.addFile(`${folder}/current_link_speed`, "16.0 GT/s PCIe\n");
    disk.addFile(`${folder}/current_link_width`, "16\n");
  }
}

/** BAR 0 and BAR 2 as in the `resource` file: start, end, flags. A full window lies above 4 GiB. */
function barLine(gpu: VirtualGpu, full: boolean): { text: string; bytes: number } {
  const start = (full ? 0x6000000000n : 0x1800000000n) + BigInt(Number.parseInt(gpu.card.slice(4), 10)) * 0x400000000n;
  const bytes = full ? 16 * 2 ** 30 : 256 * 2 ** 20;
  const hex = (value: bigint) => `0x${value.toString(16).padStart(16, "0")}`;
  const line = (from: bigint, size: number, flags: bigint) =>
    size === 0 ? `${hex(0n)} ${hex(0n)} ${hex(0n)}` : `${hex(from)} ${hex(from + BigInt(size) - 1n)} ${hex(flags)}`;
  const none = line(0n, 0, 0n);
  const lines = [line(0x81000000n, 16 * 2 ** 20, 0x140204n), none, line(start, bytes, 0x14220cn), none, none, none];
  return { text: [...lines, line(0x82000000n, 2 * 2 ** 20, 0x46200n)].join("\n"), bytes };
}

/** i915 of these kernels has an energy counter of the whole card, and no thermometer. */
function addHwmon(machine: VirtualMachine, gpu: VirtualGpu, index: number): void {
  const { disk } = machine;
  const folder = `${gpu.sysPath}/hwmon/hwmon${index + 2}`;
  const microjoules = energyCounter(machine, () => gpuWatts(machine, gpu));
  disk.addFile(`${folder}/name`, "i915\n");
  disk.addAttribute(`${folder}/energy1_input`, { get: () => `${microjoules()}\n` });
  disk.addFile(`${folder}/power1_max`, "190000000\n");
}

function addRapl(machine: VirtualMachine): void {
  const { disk } = machine;
  const folder = "/sys/class/powercap/intel-rapl:0";
  const microjoules = energyCounter(machine, () => cpuWatts(machine));
  disk.addFile(`${folder}/name`, "package-0\n");
  disk.addFile(`${folder}/max_energy_range_uj`, `${RAPL_RANGE_UJ}\n`);
  disk.addAttribute(`${folder}/energy_uj`, { get: () => `${microjoules() % RAPL_RANGE_UJ}\n` });
}

const RAPL_RANGE_UJ = 262_143_328_850;

async function addI915(machine: VirtualMachine, release: string, from: "in-tree" | "dkms"): Promise<void> {
  const { disk, hardware } = machine;
  disk.addFile("/sys/module/i915/srcversion", `${i915SrcVersion(release, from)}\n`);
  if (from === "dkms") disk.addFile("/sys/module/i915/version", "backported to 6.5.0-35 from (I915-23.6.24)\n");
  for (const [index, gpu] of hardware.gpus.entries()) {
    const card = `${gpu.sysPath}/drm/${gpu.card}`;
    addHwmon(machine, gpu, index);
    disk.mkdirSync(`${gpu.sysPath}/drm/${gpu.renderNode}`, { recursive: true });
    for (const [name, attribute] of Object.entries(clockAttributes(machine, gpu))) {
      disk.addAttribute(`${card}/gt/gt0/rps_${name}_freq_mhz`, attribute);
      disk.addAttribute(`${card}/gt_${name}_freq_mhz`, attribute);
    }
    for (const reason of ["status", "pl1", "pl2", "pl4", "thermal", "prochot", "ratl", "vr_thermalert", "vr_tdc"]) {
      disk.addFile(`${card}/gt/gt0/throttle_reason_${reason}`, "0\n");
    }
    // A file of the out-of-tree driver only.
    if (from === "dkms") disk.addFile(`${card}/lmem_total_bytes`, `${LOCAL_MEMORY_BYTES}\n`);
    await disk.addSymlink(`../../../${gpu.bdf}`, `${card}/device`);
    await disk.addSymlink(`../..${gpu.sysPath.slice(4)}/drm/${gpu.card}`, `/sys/class/drm/${gpu.card}`);
    await disk.addSymlink(`../..${gpu.sysPath.slice(4)}/drm/${gpu.renderNode}`, `/sys/class/drm/${gpu.renderNode}`);
    for (const node of [gpu.card, gpu.renderNode]) disk.addFile(`/dev/dri/${node}`, "", { mode: 0o660 });
    await disk.addSymlink(`../${gpu.renderNode}`, `/dev/dri/by-path/pci-${gpu.bdf}-render`);
    await disk.addSymlink(`../${gpu.card}`, `/dev/dri/by-path/pci-${gpu.bdf}-card`);
  }
}

/** i915 refuses what lies outside the hardware's window or crosses the other edge (intel_rps.c). */
function clockAttributes(machine: VirtualMachine, gpu: VirtualGpu): Record<string, Attribute> {
  const mhz = (text: string) => (/^\d+$/.test(text) ? Number(text) : Number.NaN);
  const inside = (value: number) => value >= GPU_FLOOR_MHZ && value <= A770_MAX_MHZ;
  const fixed = (value: number): Attribute => ({ get: () => `${value}\n` });
  return {
    min: {
      get: () => `${gpu.minMhz}\n`,
      set: (text) => inside(mhz(text)) && mhz(text) <= gpu.maxMhz && assign(gpu, { minMhz: mhz(text) }),
    },
    max: {
      get: () => `${gpu.maxMhz}\n`,
      set: (text) => inside(mhz(text)) && mhz(text) >= gpu.minMhz && assign(gpu, { maxMhz: mhz(text) }),
    },
    boost: {
      get: () => `${gpu.boostMhz}\n`,
      set: (text) => inside(mhz(text)) && assign(gpu, { boostMhz: mhz(text) }),
    },
    RP0: fixed(A770_MAX_MHZ),
    RP1: fixed(600),
    RPn: fixed(GPU_FLOOR_MHZ),
    act: { get: () => `${actualGpuMhz(machine, gpu)}\n` },
    cur: { get: () => `${requestedGpuMhz(machine, gpu)}\n` },
  };
}

function assign<T extends object>(target: T, values: Partial<T>): true {
  Object.assign(target, values);
  return true;
}

function cpuInfo(cpu: VirtualCpu, index: number): string {
  const fields = {
    processor: index,
    vendor_id: "GenuineIntel",
    "cpu family": 6,
    "model name": cpu.model,
    "cpu MHz": "800.000",
    "physical id": 0,
    "core id": index % (cpu.threads / 2),
    "cpu cores": cpu.threads / 2,
    flags: "fpu sse2 avx avx2 avx512f avx512_bf16 amx_bf16 hypervisor",
  };
  return `${Object.entries(fields)
    .map(([name, value]) => `${name.padEnd(15)}\t: ${value}`)
    .join("\n")}\n`;
}

function memInfo(totalKib: number): string {
  const sizes = {
    MemTotal: totalKib,
    MemFree: totalKib - 4_000_000,
    MemAvailable: totalKib - 2_500_000,
    SwapTotal: 0,
    SwapFree: 0,
  };
  return `${Object.entries(sizes)
    .map(([name, kib]) => `${`${name}:`.padEnd(16)}${String(kib).padStart(8)} kB`)
    .join("\n")}\n`;
}

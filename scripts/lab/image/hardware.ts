import { chmod, mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { bridgeConfig, endpointConfig, supportedSizes } from "./pci-config-space.ts";

const MIB = 1024 ** 2;
const VRAM_BYTES = 0x3fa000000;

/** What the BIOS gives the cards. "rebar-off" and "rebar-partial" are what users report; nothing else differs. */
export const HARDWARE_VARIANTS = {
  "rebar-on": { bar2MiB: 16384, bar2Start: (card: number) => 0x60_0000_0000 + card * 0x8_0000_0000 },
  "rebar-off": { bar2MiB: 256, bar2Start: (card: number) => 0x18_0000_0000 + card * 0x1000_0000 },
  // Above 4G decoding off: 1 GiB fits below 4 GiB.
  "rebar-partial": { bar2MiB: 1024, bar2Start: (card: number) => 0x8000_0000 + card * 0x4000_0000 },
} as const;

export type HardwareVariant = keyof typeof HARDWARE_VARIANTS;

/** Two Arc A770 with 16 GB, each behind the switch that every such card carries. */
const CARDS = [
  { path: ["0000:00:01.0", "0000:01:00.0", "0000:02:01.0", "0000:03:00.0"], buses: [1, 2, 3] },
  { path: ["0000:00:01.1", "0000:05:00.0", "0000:06:01.0", "0000:07:00.0"], buses: [5, 6, 7] },
] as const;

/**
 * Writes the sysfs trees of every variant: `base` is what the buses show, `bound` what an i915 driver adds,
 * `dkms` what only the out-of-tree driver adds, `dmesg.*` what it says while it loads.
 */
export async function writeHardware(folder: string): Promise<void> {
  for (const variant of Object.keys(HARDWARE_VARIANTS) as HardwareVariant[]) {
    const at = join(folder, variant);
    for (const part of ["base/module", "base/class/drm", "base/class/hwmon", "bound", "dkms"]) {
      await mkdir(join(at, part), { recursive: true });
    }
    for (const index of CARDS.keys()) await writeCard(at, variant, index);
    await writeModule(join(at, "bound"));
    await writeCpuClock(join(at, "base/devices/system/cpu"));
    await writeFile(join(at, "cards"), CARDS.map((card, index) => `${card.path.at(-1)} ${index}\n`).join(""));
    for (const driver of ["none", "in-tree", "dkms"] as const) {
      await writeFile(join(at, `dmesg.${driver}`), kernelLog(variant, driver));
    }
  }
}

async function writeCard(at: string, variant: HardwareVariant, index: number): Promise<void> {
  const { path, buses } = CARDS[index]!;
  const { bar2MiB, bar2Start } = HARDWARE_VARIANTS[variant];
  const bar2 = bar2Start(index);
  const window = { base: bar2, limit: bar2 + Math.max(bar2MiB, 1) * MIB - MIB };
  const [root, upstream, downstream, gpu] = path;
  const [first, second, third] = buses;
  const base = join(at, "base");
  const folder = (depth: number) => join("devices/pci0000:00", ...path.slice(0, depth));

  const port = { linkGeneration: 4, linkWidth: 8, window };
  await writeBridge(base, folder(1), root, { ...port, device: 0xa70d, port: "root", buses: [0, first, third] });
  await writeBridge(base, folder(2), upstream, {
    ...port,
    device: 0x4fa0,
    port: "upstream",
    buses: [first, second, third],
  });
  const inner = { ...port, linkGeneration: 1, linkWidth: 1 };
  await writeBridge(base, folder(3), downstream, {
    ...inner,
    device: 0x4fa4,
    port: "downstream",
    buses: [second, third, third],
  });

  const bar0 = 0x8100_0000 + index * 0x200_0000;
  const device = join(base, folder(4));
  await writeFunction(device, {
    device: "0x56a0",
    class: "0x030000",
    revision: "0x08",
    bdf: gpu,
    link: ["2.5 GT/s PCIe", "1"],
  });
  await writeAll(device, {
    subsystem_device: "0x1020",
    boot_vga: index === 0 ? "1" : "0",
    resource: resourceTable({
      0: [bar0, bar0 + 16 * MIB - 1, 0x140204],
      2: [bar2, bar2 + bar2MiB * MIB - 1, 0x14220c],
      6: [bar0 + 0x100_0000, bar0 + 0x120_0000 - 1, 0x46200],
    }),
    resource2_resize: supportedSizes(16384).toString(16).padStart(16, "0"),
  });
  await writeSparse(join(device, "resource0"), 16 * MIB);
  await writeSparse(join(device, "resource2"), bar2MiB * MIB);
  const config = endpointConfig({
    device: 0x56a0,
    revision: 8,
    subsystem: 0x1020,
    bar0,
    bar2,
    bar2MiB,
    largestBar2MiB: 16384,
  });
  await writeFile(join(device, "config"), config);
  await link(base, `bus/pci/devices/${gpu}`, folder(4));
  await writeDriver(at, folder(4), gpu, index);
}

async function writeBridge(
  base: string,
  folder: string,
  bdf: string,
  bridge: Parameters<typeof bridgeConfig>[0],
): Promise<void> {
  const speed = { 1: "2.5 GT/s PCIe", 4: "16.0 GT/s PCIe" }[bridge.linkGeneration] ?? "Unknown";
  const device = `0x${bridge.device.toString(16)}`;
  const ends = [speed, String(bridge.linkWidth)] as const;
  await writeFunction(join(base, folder), { device, class: "0x060400", revision: "0x01", bdf, link: ends });
  await writeAll(join(base, folder), { resource: resourceTable({}) });
  await writeFile(join(base, folder, "config"), bridgeConfig(bridge));
  await link(base, `bus/pci/devices/${bdf}`, folder);
}

interface PciFunction {
  readonly device: string;
  readonly class: string;
  readonly revision: string;
  readonly bdf: string;
  readonly link: readonly [speed: string, width: string];
}

async function writeFunction(folder: string, pci: PciFunction): Promise<void> {
  const id = pci.device.slice(2).toUpperCase();
  await writeAll(folder, {
    vendor: "0x8086",
    device: pci.device,
    class: pci.class,
    revision: pci.revision,
    subsystem_vendor: "0x8086",
    irq: "181",
    numa_node: "-1",
    local_cpulist: "0",
    enable: "1",
    power_state: "D0",
    current_link_speed: pci.link[0],
    current_link_width: pci.link[1],
    max_link_speed: pci.link[0],
    max_link_width: pci.link[1],
    modalias: `pci:v00008086d0000${id}sv00008086sd00001020bc${pci.class.slice(2, 4)}sc${pci.class.slice(4, 6)}i00`,
    uevent: `PCI_CLASS=${pci.class.slice(3)}\nPCI_ID=8086:${id}\nPCI_SLOT_NAME=${pci.bdf}`,
  });
}

/** What appears once i915 is bound: the driver link, the DRM nodes with their clocks, and the power meter. */
async function writeDriver(at: string, folder: string, bdf: string, index: number): Promise<void> {
  const bound = join(at, "bound");
  await link(bound, `${folder}/driver`, "bus/pci/drivers/i915");
  await link(bound, `bus/pci/drivers/i915/${bdf}`, folder);

  const card = `${folder}/drm/card${index}`;
  await writeAll(join(bound, card), {
    dev: `226:${index}`,
    uevent: `MAJOR=226\nMINOR=${index}\nDEVNAME=dri/card${index}`,
  });
  await link(bound, `${card}/device`, folder);
  await link(bound, `class/drm/card${index}`, card);
  await writeAll(join(bound, card, "gt/gt0"), { id: "0", ...CLOCKS, ...THROTTLE });
  await writeAll(join(bound, card, "gt/gt0/.defaults"), { rps_min_freq_mhz: "300", rps_max_freq_mhz: "2400" });
  // The old names are the same knobs.
  for (const name of Object.keys(CLOCKS)) {
    await link(bound, `${card}/${name.replace(/^rps_/, "gt_")}`, `${card}/gt/gt0/${name}`);
  }

  const render = `${folder}/drm/renderD${128 + index}`;
  await writeAll(join(bound, render), { dev: `226:${128 + index}` });
  await link(bound, `${render}/device`, folder);
  await link(bound, `class/drm/renderD${128 + index}`, render);

  const meter = `${folder}/hwmon/hwmon${index + 1}`;
  await writeAll(join(bound, meter), { name: "i915", energy1_input: "1234567890", power1_max: "190000000" });
  await link(bound, `class/hwmon/hwmon${index + 1}`, meter);
  await writeAll(join(at, "dkms", card), { lmem_total_bytes: String(VRAM_BYTES) });
}

const CLOCKS = {
  rps_min_freq_mhz: "300",
  rps_max_freq_mhz: "2400",
  rps_boost_freq_mhz: "2400",
  rps_RP0_freq_mhz: "2400",
  rps_RP1_freq_mhz: "600",
  rps_RPn_freq_mhz: "300",
  rps_cur_freq_mhz: "600",
  rps_act_freq_mhz: "0",
};

const THROTTLE = Object.fromEntries(
  ["status", "pl1", "pl2", "pl4", "thermal", "prochot", "ratl", "vr_thermalert", "vr_tdc"].map((reason) => [
    `throttle_reason_${reason}`,
    "0",
  ]),
);

async function writeModule(bound: string): Promise<void> {
  await writeAll(join(bound, "module/i915"), { refcnt: "2" });
  await writeAll(join(bound, "module/i915/parameters"), { enable_guc: "3", force_probe: "", lmem_bar_size: "0" });
  await link(bound, "bus/pci/drivers/i915/module", "module/i915");
}

/** A desktop CPU under intel_pstate, free to clock itself. */
async function writeCpuClock(folder: string): Promise<void> {
  await writeAll(join(folder, "cpufreq/policy0"), {
    affected_cpus: "0",
    related_cpus: "0",
    scaling_driver: "intel_pstate",
    scaling_available_governors: "performance powersave",
    scaling_governor: "powersave",
    scaling_min_freq: "800000",
    scaling_max_freq: "4500000",
    scaling_cur_freq: "3800000",
    cpuinfo_min_freq: "800000",
    cpuinfo_max_freq: "4500000",
    energy_performance_preference: "balance_performance",
  });
  await writeAll(join(folder, "intel_pstate"), {
    status: "active",
    no_turbo: "0",
    min_perf_pct: "17",
    max_perf_pct: "100",
  });
  await link(folder, "cpu0/cpufreq", "cpufreq/policy0");
}

function kernelLog(variant: HardwareVariant, driver: "none" | "in-tree" | "dkms"): string {
  if (driver === "none") return "";
  const { bar2MiB } = HARDWARE_VARIANTS[variant];
  const reduced = bar2MiB < 16384;
  const loading = [
    "COMPAT BACKPORTED INIT",
    "Loading modules backported from I915-23.6.24",
    "[drm] I915 BACKPORTED INIT",
  ];
  const perCard = CARDS.flatMap(({ path }) => {
    const prefix = `i915 ${path.at(-1)}: [drm]`;
    return [
      ...(reduced ? [`${prefix} Failed to resize BAR2 to 16384M (-ENOSPC)`] : []),
      `${prefix} Local memory IO size: ${hex(reduced ? bar2MiB * MIB : VRAM_BYTES)}`,
      `${prefix} Local memory available: ${hex(VRAM_BYTES)}`,
      ...(reduced
        ? [
            `${prefix} Using a reduced BAR size of ${bar2MiB}MiB. Consider enabling 'Resizable BAR' or similar, if available in the BIOS.`,
          ]
        : []),
      `${prefix} Finished loading DMC firmware i915/dg2_dmc_ver2_08.bin (v2.8)`,
      `${prefix} GT0: GuC firmware i915/dg2_guc_70.bin version ${driver === "dkms" ? "70.20.0" : "70.5.1"}`,
      `${prefix} GT0: HuC firmware i915/dg2_huc_gsc.bin version 7.10.3`,
    ];
  });
  return [...(driver === "dkms" ? loading : []), ...perCard].map((line) => `${line}\n`).join("");
}

function resourceTable(bars: Record<number, readonly [start: number, end: number, flags: number]>): string {
  return Array.from({ length: 13 }, (_, index) => (bars[index] ?? [0, 0, 0]).map(hex).join(" ")).join("\n");
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(16, "0")}`;
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), `${text}\n`);
}

/** A file whose size says how much a BAR maps, without the bytes. */
async function writeSparse(path: string, size: number): Promise<void> {
  await writeFile(path, "");
  await truncate(path, size);
  await chmod(path, 0o600);
}

/** A symbolic link relative to where it stands, as sysfs has them. Both paths are relative to `root`. */
async function link(root: string, from: string, to: string): Promise<void> {
  await mkdir(join(root, dirname(from)), { recursive: true });
  await symlink(relative(dirname(from), to), join(root, from));
}

import { type BarLog, whyBarIsSmall } from "./bar-log.ts";
import { type Reading, read } from "./fact-reader.ts";
import type { GpuMemory } from "./gpu-memory.ts";
import { gpuModel } from "./gpu-names.ts";
import type { PciGpu } from "./gpus.ts";
import type { GpuFacts } from "./host-facts.ts";
import type { LspciGpu } from "./lspci.ts";
import type { XpuSmiGpu } from "./xpu-smi.ts";

/** Firmware without Resizable BAR leaves this window. */
const SMALL_BAR_MIB = 256;
const FOUR_GIB = 0x1_0000_0000n;

/** What other sources than sysfs say of the cards, by PCI address; "" for a line of the kernel log without one. */
export interface ToldOfGpus {
  readonly memory: GpuMemory;
  readonly barLog?: BarLog;
  readonly xpuSmi?: readonly XpuSmiGpu[];
  readonly lspci?: Readonly<Record<string, LspciGpu>>;
}

/** Concludes from what was read: memory by the best source there is, then what the BIOS gives of it to the CPU. */
export function gpuFacts(pci: readonly PciGpu[], told: ToldOfGpus): Reading<readonly GpuFacts[]> {
  const { memory, barLog = {}, xpuSmi = [], lspci = {} } = told;
  const isOnly = pci.filter((gpu) => kindOf(gpu) === "discrete").length === 1;
  // A line without an address can only be told apart on a host with one card.
  const of = <T>(all: Readonly<Record<string, T>>, { bdf }: PciGpu) => all[bdf] ?? (isOnly ? all[""] : undefined);
  const readings = pci.map((gpu) => {
    if (kindOf(gpu) === "integrated") return concludeIntegrated(gpu);
    const smi = xpuSmi.find(({ bdf }) => bdf === gpu.bdf);
    // The kernel log may be of another card order or be cut off.
    const size = smi?.memoryMiB ? { mib: smi.memoryMiB, line: smi.line } : of(memory, gpu);
    const shown = lspci[gpu.bdf];
    // Kernels before 6.1 have no file for the sizes that the window can have.
    const sized = { ...gpu, bar2LargestMiB: gpu.bar2LargestMiB ?? shown?.bar2LargestMiB ?? null };
    return concludeDiscrete(sized, { vram: vramOf(sized, size), smi, lspci: shown, barLines: of(barLog, gpu) ?? [] });
  });
  return read(
    readings.map(({ value }) => value),
    readings.map(({ evidence }) => evidence).join("\n") || null,
    ...readings.flatMap(({ warnings }) => warnings),
  );
}

interface ToldOfCard {
  readonly vram: Vram | null;
  readonly smi: XpuSmiGpu | undefined;
  readonly lspci: LspciGpu | undefined;
  readonly barLines: readonly string[];
}

function concludeDiscrete(gpu: PciGpu, told: ToldOfCard): Reading<GpuFacts> {
  const { vram, smi } = told;
  const bar2MiB = gpu.bar2 === null ? null : Number(gpu.bar2.bytes / 1_048_576n);
  const value: GpuFacts = {
    ...unconcluded(gpu, "discrete"),
    name: nameOf(gpu, vram?.mib ?? null),
    vramMiB: vram?.mib ?? null,
    bar2MiB,
    bar2Start: gpu.bar2 === null ? null : `0x${gpu.bar2.start.toString(16)}`,
    resizableBar: resizableBar(bar2MiB, vram?.mib ?? null, gpu.bar2LargestMiB),
    above4g: gpu.bar2 === null ? null : gpu.bar2.start >= FOUR_GIB,
    throttle: gpu.throttle ?? throttleOf(smi),
    firmwareVersion: smi?.firmwareVersion ?? null,
    board: told.lspci?.board ?? null,
  };
  const unknown: readonly (readonly [boolean, string])[] = [
    [
      vram === null,
      `VRAM of GPU ${gpu.bdf} unknown: no xpu-smi, nothing in sysfs or the kernel log, several sizes exist`,
    ],
    [gpu.driver === null, `No kernel driver is bound to GPU ${gpu.bdf}`],
    [gpu.clock === null, `Clock window of GPU ${gpu.bdf} unknown: no frequency files`],
    [gpu.bar2 === null, `BAR 2 of GPU ${gpu.bdf} unknown: it has no address`],
  ];
  const warnings = unknown.filter(([is]) => is).map(([, warning]) => warning);
  return read(value, evidenceOf(value, told), ...warnings);
}

/** Every line names the card, so that those of one card can be found. */
function evidenceOf({ bdf, name, bar2MiB, bar2Start, resizableBar }: GpuFacts, told: ToldOfCard): string {
  const { vram, smi, lspci, barLines } = told;
  const isFull = resizableBar === "full";
  const why = isFull ? null : whyBarIsSmall(barLines);
  const bar = `BAR 2 ${bar2MiB ?? "?"} MiB at ${bar2Start ?? "?"}${why === null ? "" : `: ${why}`}`;
  return [
    `${bdf} ${name}: ${bar}, VRAM ${vram?.from ?? "unknown"}`,
    ...(isFull ? [] : [...barLines, ...(lspci?.lines.map((line) => `lspci: ${line}`) ?? [])]),
    ...(smi?.clockHealth
      ? [`xpu-smi health: frequency ${smi.clockHealth.status}, ${smi.clockHealth.description}`]
      : []),
  ]
    .map((line) => (line.includes(bdf) ? line : `${bdf} ${line}`))
    .join("\n");
}

/** Kernels before 5.19 have no throttle files; xpu-smi asks Level Zero. */
function throttleOf(smi: XpuSmiGpu | undefined): readonly string[] | null {
  const health = smi?.clockHealth ?? null;
  if (health === null) return null;
  return health.status === "ok" ? [] : [health.description || health.status];
}

function concludeIntegrated(gpu: PciGpu): Reading<GpuFacts> {
  const value = unconcluded(gpu, "integrated");
  return read(value, `${gpu.bdf} ${value.name}`);
}

function unconcluded(gpu: PciGpu, kind: GpuFacts["kind"]): GpuFacts {
  const { bdf, deviceId, driver, clock, renderNode, link, throttle, powerCapW } = gpu;
  const bios = { vramMiB: null, bar2MiB: null, bar2Start: null, resizableBar: null, above4g: null };
  const name = `Intel integrated graphics [${deviceId}]`;
  return { bdf, deviceId, name, kind, driver, ...bios, clock, renderNode, link, throttle, powerCapW };
}

interface Vram {
  readonly mib: number;
  /** Size and source, in words. */
  readonly from: string;
}

/** `full`: the CPU sees all of VRAM; `off`: the 256 MiB of a BIOS without the option; `partial`: in between. */
function resizableBar(
  barMiB: number | null,
  vramMiB: number | null,
  largestMiB: number | null,
): GpuFacts["resizableBar"] {
  if (barMiB === null) return null;
  if (vramMiB !== null && barMiB >= vramMiB) return "full";
  if (barMiB <= SMALL_BAR_MIB) return "off";
  if (vramMiB !== null) return "partial";
  if (largestMiB === null) return null;
  return barMiB >= largestMiB ? "full" : "partial";
}

function vramOf(gpu: PciGpu, told: GpuMemory[string] | undefined): Vram | null {
  if (told !== undefined) return { mib: told.mib, from: `${told.mib} MiB (${told.line})` };
  if (gpu.vramBytes !== null) {
    const mib = Number(gpu.vramBytes / 1_048_576n);
    return { mib, from: `${mib} MiB (the driver's memory file)` };
  }
  const model = gpuModel(gpu.deviceId);
  if (model?.vramGib) return { mib: model.vramGib * 1024, from: `${model.vramGib} GiB (the only size of this model)` };
  // The largest BAR is the smallest power of two that holds all memory: it tells an A770 with 16 GB from one with 8.
  if (gpu.deviceId === "56a0" && gpu.bar2LargestMiB !== null && gpu.bar2LargestMiB >= 8192) {
    return { mib: gpu.bar2LargestMiB, from: `${gpu.bar2LargestMiB} MiB (largest size of BAR 2)` };
  }
  if (gpu.deviceId === "56a0" && gpu.bar2 !== null && gpu.bar2.bytes === 0x4_0000_0000n) {
    return { mib: 16_384, from: "16384 MiB (size of BAR 2)" };
  }
  return null;
}

/** Integrated Intel graphics is always device 00:02.0, unless its id is that of a card (passed through to a guest). */
export function gpuKind(bdf: string, deviceId: string): GpuFacts["kind"] {
  if (gpuModel(deviceId) !== null) return "discrete";
  return /:00:[0-9a-f]{2}\.[0-7]$/i.test(bdf) ? "integrated" : "discrete";
}

function kindOf({ bdf, deviceId }: PciGpu): GpuFacts["kind"] {
  return gpuKind(bdf, deviceId);
}

function nameOf(gpu: PciGpu, vramMiB: number | null): string {
  const model = gpuModel(gpu.deviceId);
  if (model === null) return `Intel GPU [${gpu.deviceId}]`;
  const size = gpu.deviceId === "56a0" && vramMiB !== null ? ` ${vramMiB > 12_000 ? 16 : 8} GB` : "";
  return `${model.name}${size}`;
}

import { GPU_FLOOR_MHZ, hasFullBar } from "../sim-machine/hardware.ts";
import { actualGpuMhz, gpuCelsius, gpuMemoryUsedMib, gpuWatts } from "../sim-machine/live-state.ts";
import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import type { VirtualGpu, VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { A770_MAX_MHZ } from "../sim-vllm/performance-model.ts";

/** lspci and xpu-smi 1.2 (texts and exit codes of intel/xpumanager V1.2.39). */
export const gpuCommands: Readonly<Record<string, StandIn>> = { lspci, "xpu-smi": xpuSmi };

const NAME = "Intel(R) Arc(TM) A770 Graphics";

function lspci({ args, machine, session }: Call): CommandResult {
  const { options } = splitOptions(args, ["-s", "-d"]);
  const flags = [...options.keys()].join("");
  const slot = options.get("-s")?.replace(/^0000:/, "");
  const shown = machine.hardware.gpus.filter(({ bdf }) => slot === undefined || bdf.endsWith(slot));
  if ((options.get("-d") ?? "8086:").startsWith("8086:") === false) return ok();
  return ok(shown.map((gpu) => device(machine, gpu, flags, session.uid === 0)).join(flags.includes("v") ? "\n" : ""));
}

function device(machine: VirtualMachine, gpu: VirtualGpu, flags: string, isRoot: boolean): string {
  const slot = flags.includes("D") ? gpu.bdf : gpu.bdf.slice(5);
  const ids = flags.includes("n");
  const kind = ids ? "VGA compatible controller [0300]" : "VGA compatible controller";
  const head = `${slot} ${kind}: Intel Corporation DG2 [Arc A770]${ids ? " [8086:56a0]" : ""} (rev 08)`;
  const full = hasFullBar(gpu, machine.firmware.resizableBar);
  const driver = machine.boot?.driver === null ? [] : ["\tKernel driver in use: i915"];
  const modules = [...driver, "\tKernel modules: i915"];
  if (!flags.includes("v")) return `${[head, ...(flags.includes("k") ? modules : [])].join("\n")}\n`;
  const size = full ? "16GB" : "256MB";
  const capabilities = isRoot
    ? [
        "\tCapabilities: [70] Express (v2) Endpoint, IntMsgNum 0",
        "\t\tLnkCap:\tPort #0, Speed 2.5GT/s, Width x1, ASPM L0s L1, Exit Latency L0s <64ns, L1 <1us",
        "\t\tLnkSta:\tSpeed 2.5GT/s, Width x1",
        "\tCapabilities: [420 v1] Physical Resizable BAR",
        `\t\tBAR 2: current size: ${size}, supported: 256MB 512MB 1GB 2GB 4GB 8GB 16GB`,
      ]
    : ["\tCapabilities: <access denied>"];
  return `${[
    `${head} (prog-if 00 [VGA controller])`,
    "\tSubsystem: Intel Corporation Device 1020",
    "\tRegion 0: Memory at 81000000 (64-bit, non-prefetchable) [size=16M]",
    `\tRegion 2: Memory at ${full ? "6000000000" : "1800000000"} (64-bit, prefetchable) [size=${full ? "16G" : "256M"}]`,
    ...capabilities,
    ...modules,
  ].join("\n")}\n`;
}

function xpuSmi(call: Call): CommandResult {
  const { args, machine } = call;
  const [command, ...rest] = args;
  if (command === "-v" || command === "--version") return ok(VERSION);
  if (machine.boot?.driver === null) return failed(39, "", "Error: Level Zero Initialization Error");
  if (command === "discovery") return discovery(machine, rest);
  if (command === "config") return config(call, rest);
  if (command === "dump") return dump(machine, rest);
  if (command === "stats") return stats(machine, rest);
  if (command === "health") return ok(rest.includes("-j") ? healthJson(machine) : HEALTH);
  if (command === "topology") return ok(TOPOLOGY);
  return failed(2, "", "Return: unknown or invalid command, parameter or device/tile Id");
}

const VERSION = [
  "CLI:\n    Version: 1.2.39.20240906\n    Build ID: 00000000\n",
  "Service:\n    Version: 1.2.39.20240906\n    Build ID: 00000000\n    Level Zero Version: 1.17.6",
].join("\n");

const HEALTH =
  "+--------------+---------------------------------+\n| 6. Frequency | Status: Ok                      |\n|              | Description: The device frequency not throttled |\n+--------------+---------------------------------+";

function healthJson({ hardware }: VirtualMachine): string {
  const frequency = { status: "Ok", description: "The device frequency not throttled" };
  return JSON.stringify({ device_list: hardware.gpus.map((_, index) => ({ device_id: index, frequency })) }, null, 2);
}

const TOPOLOGY = "         GPU 0/0|GPU 1/0|CPU Affinity\nGPU 0/0 |S      |NODE   |0-11\nGPU 1/0 |NODE   |S      |0-11";

function discovery(machine: VirtualMachine, args: readonly string[]): CommandResult {
  const { options } = splitOptions(args, ["-d", "--device", "--dump"]);
  const { gpus } = machine.hardware;
  const columns = options.get("--dump");
  if (columns !== undefined) return ok(dumpColumns(machine, columns.split(",").map(Number)));
  if (options.has("-j")) return ok(JSON.stringify({ device_list: gpus.map(asJson) }, null, 2));
  const line = "+-----------+--------------------------------------------------------------------------------------+";
  const rows = gpus.flatMap((gpu, index) => [
    ...[
      `Device Name: ${NAME}`,
      "Vendor Name: Intel(R) Corporation",
      `SOC UUID: ${uuid(gpu)}`,
      `PCI BDF Address: ${gpu.bdf}`,
      `DRM Device: /dev/dri/${gpu.card}`,
      "Function Type: physical",
    ].map((text, at) => `| ${String(at === 0 ? index : "").padEnd(9)} | ${text.padEnd(84)} |`),
    line,
  ]);
  return ok(
    [
      line,
      "| Device ID | Device Information                                                                   |",
      line,
      ...rows,
    ].join("\n"),
  );
}

function asJson(gpu: VirtualGpu, index: number) {
  return {
    device_function_type: "physical",
    device_id: index,
    device_name: NAME,
    device_type: "GPU",
    drm_device: `/dev/dri/${gpu.card}`,
    pci_bdf_address: gpu.bdf,
    pci_device_id: "0x56a0",
    uuid: uuid(gpu),
    vendor_name: "Intel(R) Corporation",
  };
}

function uuid({ bdf }: VirtualGpu): string {
  return `00000000-0000-00${bdf.slice(5, 7)}-0000-000856a08086`;
}

/** Columns that mean the same in every version of xpu-smi. */
function dumpColumns(machine: VirtualMachine, ids: readonly number[]): string {
  const columns: Record<number, { title: string; value: (gpu: VirtualGpu, index: number) => string }> = {
    1: { title: "Device ID", value: (_, index) => String(index) },
    2: { title: "Device Name", value: () => `"${NAME}"` },
    3: { title: "Vendor Name", value: () => '"Intel(R) Corporation"' },
    4: { title: "SOC UUID", value: (gpu) => `"${uuid(gpu)}"` },
    6: { title: "Core Clock Rate", value: () => `"${A770_MAX_MHZ} MHz"` },
    8: { title: "Driver Version", value: () => '"I915_23.6.24_PSB_240301.20"' },
    9: { title: "GFX Firmware Version", value: () => '"DG02_1.3253"' },
    11: { title: "PCI BDF Address", value: ({ bdf }) => `"${bdf}"` },
    13: { title: "PCIe Generation", value: () => '"4"' },
    14: { title: "PCIe Max Link Width", value: () => '"16"' },
    16: { title: "Memory Physical Size", value: () => '"16288.00 MiB"' },
    24: { title: "Number of EUs", value: () => '"512"' },
  };
  const chosen = ids.flatMap((id) => columns[id] ?? []);
  const rows = machine.hardware.gpus.map((gpu, index) => chosen.map(({ value }) => value(gpu, index)).join(","));
  return [chosen.map(({ title }) => title).join(","), ...rows].join("\n");
}

function config({ machine, session }: Call, args: readonly string[]): CommandResult {
  const { options } = splitOptions(args, ["-d", "-t", "--device", "--tile", "--frequencyrange"]);
  const id = options.get("-d") ?? options.get("--device");
  const tile = options.get("-t") ?? options.get("--tile");
  const range = options.get("--frequencyrange");
  const gpu = machine.hardware.gpus[Number(id)];
  if (id === undefined || !gpu) return failed(4, "", "Error: device Id or tile Id is invalid");
  if (range === undefined) return ok(options.has("-j") ? configJson(gpu, id) : configText(gpu, id));
  if (tile === undefined) return failed(2, "", "Return: unknown or invalid command, parameter or device/tile Id");
  if (tile !== "0") return failed(5, "", "Error: device Id or tile Id is invalid");
  const words = range.split(",");
  if (words.length !== 2) return failed(2, "", "Return: invalid parameter: please check help information");
  if (words.some((word) => !/^-?\d+(\.\d+)?$/.test(word)))
    return failed(2, "", "Return: invalid parameter: frequency range");
  const [min, max] = words.map(Number) as [number, number];
  if (min <= 0 || max <= 0) return failed(2, "", "Return: invalid parameter: min/max frequency should bigger than 0.");
  if (session.uid !== 0 || min > max) return failed(1, "", "Error: Error");
  // Level Zero clamps what lies outside the hardware's window.
  const clamp = (mhz: number) => Math.min(A770_MAX_MHZ, Math.max(GPU_FLOOR_MHZ, mhz));
  Object.assign(gpu, { minMhz: clamp(min), maxMhz: clamp(max) });
  return ok(`Return: Succeed to change the core frequency range on GPU ${id} tile ${tile}.`);
}

function configText(gpu: VirtualGpu, id: string): string {
  const steps = Array.from({ length: (A770_MAX_MHZ - GPU_FLOOR_MHZ) / 50 + 1 }, (_, at) => GPU_FLOOR_MHZ + at * 50);
  const row = (device: string, text: string) => `| ${device.padEnd(11)} | ${"".padEnd(17)} | ${text.padEnd(62)} |`;
  return [
    row("GPU", "Power Limit (w): 190"),
    row("", "  Valid Range: 1 to 0"),
    `| GPU         | ${`${id}/0`.padEnd(17)} | ${`GPU Min Frequency (MHz) : ${gpu.minMhz}`.padEnd(62)} |`,
    row("", `GPU Max Frequency (MHz) : ${gpu.maxMhz}`),
    row("", `  Valid Options: ${steps.join(", ")}`),
    row("", "Standby Mode: default"),
    row("", "Scheduler Mode: timeslice"),
  ].join("\n");
}

function configJson(gpu: VirtualGpu, id: string): string {
  const tile = { tile_id: `${id}/0`, min_frequency: gpu.minMhz, max_frequency: gpu.maxMhz, standby_mode: "default" };
  return JSON.stringify(
    { device_id: Number(id), power_limit: 190, power_vaild_range: "1 to 0", tile_config_data: [tile] },
    null,
    2,
  );
}

const METRICS: Readonly<
  Record<string, { title: string; value: (gpu: VirtualGpu, machine: VirtualMachine) => string }>
> = {
  0: { title: "GPU Utilization (%)", value: () => " N/A" },
  1: { title: "GPU Power (W)", value: (gpu, machine) => gpuWatts(machine, gpu).toFixed(2) },
  2: { title: "GPU Frequency (MHz)", value: (gpu, machine) => String(actualGpuMhz(machine, gpu)).padStart(4) },
  3: { title: "GPU Core Temperature (C)", value: (gpu, machine) => gpuCelsius(machine, gpu).toFixed(2) },
  4: { title: "GPU Memory Temperature (C)", value: () => " N/A" },
  5: { title: "GPU Memory Utilization (%)", value: () => "0.10" },
  17: { title: "GPU Memory Bandwidth Utilization (%)", value: () => " N/A" },
  18: { title: "GPU Memory Used (MiB)", value: (gpu, machine) => gpuMemoryUsedMib(machine, gpu).toFixed(2) },
  35: { title: "Throttle reason", value: () => "Not Throttled" },
};

function dump(machine: VirtualMachine, args: readonly string[]): CommandResult {
  const { options } = splitOptions(args, ["-d", "-m", "-i", "-n"]);
  const metrics = (options.get("-m") ?? "").split(",").flatMap((id) => METRICS[id] ?? []);
  const ids = options.get("-d") ?? "-1";
  const gpus = machine.hardware.gpus
    .map((gpu, index) => ({ gpu, index }))
    .filter(({ index }) => ids === "-1" || ids.split(",").includes(String(index)));
  const head = ["Timestamp", " DeviceId", ...metrics.map(({ title }) => ` ${title}`)].join(",");
  const time = machine.clock.isoNow().slice(11, 23);
  // Without a number the real one never ends; the interpreter could not show a row before the end.
  const samples = Array.from({ length: Math.min(60, Number(options.get("-n") ?? 0)) }, () =>
    gpus.map(({ gpu, index }) =>
      [time, String(index).padStart(5), ...metrics.map(({ value }) => ` ${value(gpu, machine)}`)].join(","),
    ),
  );
  return ok([head, ...samples.flat()].join("\n"));
}

function stats(machine: VirtualMachine, args: readonly string[]): CommandResult {
  const { options } = splitOptions(args, ["-d"]);
  const gpu = machine.hardware.gpus[Number(options.get("-d") ?? 0)];
  if (!gpu) return failed(4, "", "Error: device Id or tile Id is invalid");
  const level = [
    { metrics_type: "XPUM_STATS_POWER", value: gpuWatts(machine, gpu) },
    { metrics_type: "XPUM_STATS_GPU_FREQUENCY", value: actualGpuMhz(machine, gpu) },
  ];
  return ok(
    JSON.stringify({ device_id: Number(options.get("-d") ?? 0), device_level: level, engine_util: {} }, null, 2),
  );
}

import { linesOf } from "./clean-text.ts";
import { type FactReader, read } from "./fact-reader.ts";
import type { ComputeDevice } from "./host-facts.ts";

/**
 * GPUs that a program of this user can compute on: sycl-ls of oneAPI, else clinfo. None at all beside a card that the
 * kernel drives means that the user may not open its render node, that the user-mode driver is missing, or, with xe,
 * that Resizable BAR is off: then the driver refuses to start (intel/compute-runtime, FAQ). Both tools take a second, so
 * they are started before everything else (COMPUTE_DEVICES_START).
 */
export const computeDevices: FactReader<readonly ComputeDevice[] | null> = {
  name: "compute-devices",
  script: "cat <&6",
  parse({ text }) {
    const [, sycl = "", opencl = ""] = /^\[sycl-ls\]\n([\s\S]*)^\[clinfo\]\n([\s\S]*)$/m.exec(text) ?? [];
    // A server in a container brings its own driver: a host without these tools lacks nothing.
    if (/^\[sycl-ls\]\s*\[clinfo\]\s*$/.test(text)) return read(null, "neither sycl-ls nor clinfo is installed");
    const bar = text.match(/^.*(?:Resizable BAR not|Small BAR) detected for device.*$/gm) ?? [];
    const warnings = bar.map((line) => line.trim().replace(/^WARNING:\s*/, ""));
    const devices = fromSyclLs(sycl) ?? fromClinfo(opencl);
    if (devices === null) return read(null, null, "Compute devices unknown: sycl-ls and clinfo told none", ...warnings);
    const evidence = devices.map(({ name, memoryMiB }) => (memoryMiB === null ? name : `${name}, ${memoryMiB} MiB`));
    return read(devices, [...warnings, ...evidence].join("\n") || "no compute device", ...warnings);
  },
};

/** Starts both tools in the background of a batch. Descriptor 6 gives their answers. */
export const COMPUTE_DEVICES_START = `
arc_compute_devices() {
  local tool told=
  tool=$(command -v sycl-ls) || for tool in /opt/intel/oneapi/compiler/latest/{bin,linux/bin}/sycl-ls; do
    [ -x "$tool" ] && break
  done
  echo '[sycl-ls]'; [ -x "$tool" ] && arc_limit 20 "$tool" && told=yes
  # Without the environment of oneAPI sycl-ls finds no libraries.
  echo '[clinfo]'; [ -z "$told" ] && command -v clinfo >/dev/null && arc_limit 20 clinfo
}
exec 6< <(arc_compute_devices 2>&1 </dev/null)
`;

/**
 * "[level_zero:gpu][level_zero:0] platform, device version [driver]" of oneAPI 2024 and later,
 * "[ext_oneapi_level_zero:gpu:0] …" before. A card shows under OpenCL too and is counted once.
 */
function fromSyclLs(text: string): ComputeDevice[] | null {
  const lines = linesOf(text).flatMap((line) => {
    const match = /^\[(?:ext_oneapi_)?(level_zero|opencl):(\w+)(?::\d+)?\](?:\[[^\]]*\])?\s+[^,]+,\s*(.+)$/.exec(line);
    return match ? [{ backend: match[1], kind: match[2], name: deviceName(match[3] as string) }] : [];
  });
  if (lines.length === 0 && !/no platforms|No such file/i.test(text)) return null;
  const gpus = lines.filter(({ kind }) => kind === "gpu");
  const levelZero = gpus.filter(({ backend }) => backend === "level_zero");
  return (levelZero.length > 0 ? levelZero : gpus).map(({ name }) => ({ name, memoryMiB: null }));
}

/** Without the version and the driver's version at its end. */
function deviceName(text: string): string {
  return text.replace(/\s+(?:OpenCL\s+)?\d[\d.]*(?:\s+NEO)?\s*(?:\[[^\]]*\])?\s*$/, "").trim();
}

function fromClinfo(text: string): ComputeDevice[] | null {
  const platforms = /^\s*Number of platforms:?\s+(\d+)/m.exec(text)?.[1];
  if (platforms === undefined) return null;
  const blocks = text.split(/^(?=\s*Device Name\b)/m).slice(1);
  return blocks.flatMap((block) => {
    const name = /^\s*Device Name:?\s+(\S.*?)\s*$/m.exec(block)?.[1];
    const kind = /^\s*Device Type:?\s+(\S.*)$/m.exec(block)?.[1];
    if (name === undefined || (kind !== undefined && !/GPU/i.test(kind))) return [];
    const bytes = /^\s*Global memory size:?\s+(\d{1,15})\b/m.exec(block)?.[1];
    return [{ name, memoryMiB: bytes === undefined ? null : Math.floor(Number(bytes) / 1_048_576) }];
  });
}

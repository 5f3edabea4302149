import { type FactReader, read, wholeNumber } from "./fact-reader.ts";
import type { GpuClockFacts, GpuLinkFacts } from "./host-facts.ts";

/** One Intel GPU as sysfs shows it, before anything is concluded from it. */
export interface PciGpu {
  readonly bdf: string;
  readonly deviceId: string;
  readonly driver: string | null;
  readonly bar2: { readonly start: bigint; readonly bytes: bigint } | null;
  /** Largest size that BAR 2 can be set to, in MiB. */
  readonly bar2LargestMiB: number | null;
  /** What the driver says about the memory on the card. */
  readonly vramBytes: bigint | null;
  readonly renderNode: string | null;
  readonly clock: GpuClockFacts | null;
  readonly throttle: readonly string[] | null;
  readonly link: GpuLinkFacts | null;
  readonly powerCapW: number | null;
}

/** Every Intel display controller (PCI class 0300 or 0380) under /sys/bus/pci. Needs neither root nor lspci. */
export const gpus: FactReader<readonly PciGpu[]> = {
  name: "gpus",
  script: `
show() { local v; [ -r "$2" ] && IFS= read -r v < "$2" 2>/dev/null && echo "$1=$v"; }
clock() {
  echo "clock=$1"
  show min "$1/$2"; show max "$1/$3"; show floor "$1/$4"; show ceiling "$1/$5"
}
for d in "$ARC_ROOT"/sys/bus/pci/devices/*; do
  read -r vendor < "$d/vendor" && read -r class < "$d/class" || continue
  [ "$vendor" = 0x8086 ] || continue
  case $class in 0x0300* | 0x0380*) ;; *) continue ;; esac
  echo "gpu=\${d##*/}"
  show device "$d/device"
  [ -e "$d/driver" ] && driver=$(readlink -f "$d/driver") && echo "driver=\${driver##*/}"
  bar=0
  while read -r line; do bar=$((bar + 1)); [ "$bar" = 3 ] && echo "bar2=$line"; done < "$d/resource"
  show resizable "$d/resource2_resize"
  for n in "$d"/drm/renderD*; do [ -e "$n" ] && echo "render=\${n##*/}"; done
  for c in "$d"/drm/card*; do
    show vram "$c/lmem_total_bytes"
    if [ -e "$c/gt/gt0/rps_min_freq_mhz" ]; then
      clock "$c/gt/gt0" rps_min_freq_mhz rps_max_freq_mhz rps_RPn_freq_mhz rps_RP0_freq_mhz
    elif [ -e "$c/gt_min_freq_mhz" ]; then
      clock "$c" gt_min_freq_mhz gt_max_freq_mhz gt_RPn_freq_mhz gt_RP0_freq_mhz
    fi
    for t in "$c"/gt/gt0/throttle_reason_*; do show "throttle_\${t##*throttle_reason_}" "$t"; done
  done
  show vram "$d/tile0/physical_vram_size_bytes"
  if [ -e "$d/tile0/gt0/freq0/min_freq" ]; then
    clock "$d/tile0/gt0/freq0" min_freq max_freq rpn_freq rp0_freq
    for t in "$d"/tile0/gt0/freq0/throttle/reason_* "$d"/tile0/gt0/freq0/throttle/status; do
      name=\${t##*/}; show "throttle_\${name#reason_}" "$t"
    done
  fi
  for h in "$d"/hwmon/hwmon*; do show power_cap "$h/power1_max"; done
  path=$(readlink -f "$d"); port=\${path%/*}; port=\${port%/*}
  case \${port##*/} in
    *:*:*.*)
      show link_speed "$port/current_link_speed"; show link_width "$port/current_link_width"
      show link_max_speed "$port/max_link_speed"; show link_max_width "$port/max_link_width" ;;
  esac
done
true`,
  parse({ text }) {
    const blocks = text.split(/^gpu=/m).slice(1);
    const found = blocks.map(parseBlock).filter((gpu) => gpu !== null);
    const bad = blocks.length - found.length;
    const evidence = found.map((gpu) => `${gpu.bdf} 8086:${gpu.deviceId} ${gpu.driver ?? "no driver"}`).join("\n");
    return read(
      found,
      evidence || "no Intel GPU in /sys/bus/pci/devices",
      ...(bad > 0 ? [`${bad} GPUs could not be read`] : []),
    );
  },
};

function parseBlock(block: string): PciGpu | null {
  const bdf = /^([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\s*$/m.exec(block)?.[1];
  const value = (key: string) => new RegExp(`^${key}=(.*\\S)\\s*$`, "m").exec(block)?.[1] ?? null;
  const deviceId = /^(?:0x)?([0-9a-f]{4})$/i.exec(value("device") ?? "")?.[1]?.toLowerCase();
  if (bdf === undefined || deviceId === undefined) return null;
  return {
    bdf,
    deviceId,
    driver: value("driver"),
    bar2: parseBar(value("bar2")),
    bar2LargestMiB: largestSizeMiB(value("resizable")),
    vramBytes: parseBytes(value("vram")),
    renderNode: value("render"),
    clock: parseClock(value),
    throttle: parseThrottle(block),
    link: parseLink(value),
    powerCapW: parseMicrowatts(value("power_cap")),
  };
}

/** A line of the `resource` file: start, end, flags. All zero means that the firmware gave the BAR no address. */
function parseBar(line: string | null): PciGpu["bar2"] {
  const match = /^(0x[0-9a-f]{1,16})\s+(0x[0-9a-f]{1,16})\b/i.exec(line ?? "");
  if (!match) return null;
  const start = BigInt(match[1] as string);
  const end = BigInt(match[2] as string);
  return end > start ? { start, bytes: end - start + 1n } : null;
}

/** resource2_resize is a bit mask in which bit n stands for 2^n MiB (Documentation/ABI/testing/sysfs-bus-pci). */
function largestSizeMiB(mask: string | null): number | null {
  if (mask === null || !/^(0x)?[0-9a-f]{1,16}$/i.test(mask)) return null;
  const bits = BigInt(`0x${mask.replace(/^0x/i, "")}`).toString(2);
  return bits === "0" || bits.length > 40 ? null : 2 ** (bits.length - 1);
}

function parseBytes(text: string | null): bigint | null {
  return text !== null && /^(0x[0-9a-f]{1,16}|\d{1,19})$/i.test(text) ? BigInt(text) : null;
}

function parseClock(value: (key: string) => string | null): GpuClockFacts | null {
  const path = value("clock");
  if (path === null) return null;
  const mhz = (key: string) => wholeNumber(value(key) ?? undefined);
  return { path, minMhz: mhz("min"), maxMhz: mhz("max"), floorMhz: mhz("floor"), ceilingMhz: mhz("ceiling") };
}

/** power1_max of hwmon, in watts (Documentation/ABI/testing/sysfs-driver-intel-i915-hwmon). 0 means that there is none. */
function parseMicrowatts(text: string | null): number | null {
  const microwatts = wholeNumber(text ?? undefined);
  return microwatts === null || microwatts === 0 ? null : microwatts / 1_000_000;
}

function parseThrottle(block: string): readonly string[] | null {
  const reasons = [...block.matchAll(/^throttle_(\w+)=([01])\s*$/gm)];
  if (reasons.length === 0) return null;
  const active = reasons.filter(([, , on]) => on === "1").map(([, name]) => name as string);
  const named = active.filter((name) => name !== "status");
  return named.length === 0 && active.includes("status") ? ["unknown"] : named;
}

function parseLink(value: (key: string) => string | null): GpuLinkFacts | null {
  const speed = (key: string) => {
    const match = /^(\d+(?:\.\d+)?)\s*GT\/s/.exec(value(key) ?? "");
    return match ? Number(match[1]) : null;
  };
  const width = (key: string) => wholeNumber(value(key)?.replace(/^x/, "")) || null;
  const link: GpuLinkFacts = {
    speedGts: speed("link_speed"),
    width: width("link_width"),
    maxSpeedGts: speed("link_max_speed"),
    maxWidth: width("link_max_width"),
  };
  return Object.values(link).every((part) => part === null) ? null : link;
}

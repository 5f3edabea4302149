import type { Script } from "../core/script.ts";
import type { Clock } from "../ports/clock.ts";
import type { Shell } from "../ports/shell.ts";
import { type HostSamples, hostSampleReader } from "./host-sample.ts";

/** Looks at a host about once a second, from when it is made until it is disposed of. */
export interface HostWatch {
  /** What was seen so far; grows while the watch goes on. */
  readonly seen: HostSamples;
  /** Ends the watch. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface HostWatchOptions {
  /** As root, the energy of the CPU package can be read too (it is hidden from users since CVE-2020-8694). */
  readonly sudo: boolean;
  readonly signal?: AbortSignal;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
}

/**
 * Starts one script on the host that reads clocks, throttle reasons, energy and temperatures, and stamps each line with
 * our clock as it arrives. A host that cannot be watched is measured all the same: then nothing is seen.
 */
export function watchHost(shell: Shell, clock: Clock, options: HostWatchOptions): HostWatch {
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([over.signal, options.signal]);
  const reader = hostSampleReader();
  const ended = shell
    .run(samplerScript(options), {
      timeoutMs: LONGEST_MS,
      signal,
      onLine: (line, stream) => {
        if (stream === "stdout") reader.take(line, clock.nowMs());
      },
    })
    .then(
      () => {},
      () => {},
    );
  return {
    seen: reader.samples,
    async [Symbol.asyncDispose]() {
      over.abort();
      await ended;
    },
  };
}

/** The sampler by itself: it prints `host …` once, then `sample …` lines without end. */
export function samplerScript({ sudo, root = "" }: HostWatchOptions): Script {
  return { name: "watch clocks and power", text: SAMPLER, env: { ARC_ROOT: root }, sudo };
}

/** No run lasts longer; a script has to have some limit. */
const LONGEST_MS = 7 * 24 * 3_600_000;

/**
 * Which files there are is found out once. A sample then only reads them with bash's own words and starts no process:
 * waiting is a read from a pipe that nobody writes to. An interpreter that cannot wait like that sleeps.
 * Paths: i915 has its files at the card (gt/gt0 since Linux 5.18), xe at the device (tile0/gt0/freq0).
 */
const SAMPLER = `
exec 2>/dev/null
keys=() paths=() causes=() whys=() cpus=() seen="host" count=0
watch() { if [ -r "$2" ]; then keys+=("$1"); paths+=("$2"); fi; }
clock() { watch "$1.act" "$2/$3"; watch "$1.cur" "$2/$4"; watch "$1.min" "$2/$5"; watch "$1.max" "$2/$6"; }
throttle() {
  for f in "$2"*; do
    case \${f##*/} in *status) ;; *) if [ -r "$f" ]; then causes+=("$1.throttle=\${f#"$2"}"); whys+=("$f"); fi ;; esac
  done
}
for d in "$ARC_ROOT"/sys/bus/pci/devices/*; do
  read -r vendor < "$d/vendor" && read -r class < "$d/class" && read -r device < "$d/device" || continue
  [ "$vendor" = 0x8086 ] || continue
  case $class in 0x0300* | 0x0380*) ;; *) continue ;; esac
  g=gpu$count count=$((count + 1))
  seen="$seen $g=\${d##*/}/$device"
  for c in "$d"/drm/card*; do
    if [ -r "$c/gt/gt0/rps_act_freq_mhz" ]; then
      clock "$g" "$c/gt/gt0" rps_act_freq_mhz rps_cur_freq_mhz rps_min_freq_mhz rps_max_freq_mhz
    elif [ -r "$c/gt_act_freq_mhz" ]; then
      clock "$g" "$c" gt_act_freq_mhz gt_cur_freq_mhz gt_min_freq_mhz gt_max_freq_mhz
    fi
    watch "$g.status" "$c/gt/gt0/throttle_reason_status"
    throttle "$g" "$c/gt/gt0/throttle_reason_"
  done
  if [ -r "$d/tile0/gt0/freq0/act_freq" ]; then
    clock "$g" "$d/tile0/gt0/freq0" act_freq cur_freq min_freq max_freq
    watch "$g.status" "$d/tile0/gt0/freq0/throttle/status"
    throttle "$g" "$d/tile0/gt0/freq0/throttle/reason_"
  fi
  for h in "$d"/hwmon/hwmon*; do
    read -r name < "$h/name" || continue
    case $name in i915 | xe) ;; *) continue ;; esac
    watch "$g.uj" "$h/energy1_input"; watch "$g.uj2" "$h/energy2_input"; watch "$g.uw" "$h/power1_input"
    watch "$g.temp" "$h/temp1_input"; watch "$g.temp2" "$h/temp2_input"
  done
done
for p in "$ARC_ROOT"/sys/devices/system/cpu/cpufreq/policy*; do
  [ -r "$p/scaling_cur_freq" ] && cpus+=("$p/scaling_cur_freq")
done
p="$ARC_ROOT/sys/devices/system/cpu/cpufreq/policy0"
watch governor "$p/scaling_governor"; watch cpumin "$p/scaling_min_freq"
read -r v < "$p/cpuinfo_max_freq" && seen="$seen cpumax=$v"
for z in "$ARC_ROOT"/sys/class/powercap/intel-rapl:*; do
  read -r name < "$z/name" || continue
  case $name in package-*) ;; *) continue ;; esac
  watch "pkg\${name#package-}" "$z/energy_uj"
  read -r v < "$z/max_energy_range_uj" && seen="$seen range\${name#package-}=$v"
done
# What sysfs does not say: memory in use, and on older kernels temperature. 2.x knows no short options for this.
xpu() {
  command -v xpu-smi >/dev/null || return
  [[ $(timeout 20 xpu-smi -v) =~ (xpu-smi|ersion:?)[[:space:]]+v?([0-9]+)\\. ]]
  timeout 20 xpu-smi discovery --dump 1,11
  # To a pipe, programs write in blocks of some hundred lines unless told otherwise.
  by=
  command -v stdbuf >/dev/null && by="stdbuf -oL"
  case \${BASH_REMATCH[2]} in
  1) $by xpu-smi dump -d -1 -m 1,3,18 -i 2 ;;
  *) $by xpu-smi dump --device -1 --metrics 1,3,18 --interval 2 --format csv ;;
  esac
}
sample() {
  line=sample
  read -r v _ < "$ARC_ROOT/proc/uptime" && line="$line up=$v"
  read -r v _ < "$ARC_ROOT/proc/loadavg" && line="$line load=$v"
  read -r _ a b c idle wait d e f _ < "$ARC_ROOT/proc/stat" &&
    line="$line ticks=$((a + b + c + d + e + f))/$((a + b + c + d + e + f + idle + wait))"
  clocks=
  for f in "\${cpus[@]}"; do read -r v < "$f" && clocks="$clocks,$v"; done
  line="$line cpu=$clocks"
  slow=
  for i in "\${!keys[@]}"; do
    read -r v < "\${paths[i]}" || continue
    line="$line \${keys[i]}=$v"
    case \${keys[i]}=$v in *.status=0) ;; *.status=*) slow=yes ;; esac
  done
  if [ -n "$slow" ]; then
    for i in "\${!causes[@]}"; do read -r v < "\${whys[i]}" && [ "$v" != 0 ] && line="$line \${causes[i]}"; done
  fi
echo "$line"
}
if exec 9<> <(:) && [ -p /proc/self/fd/9 ]; then nap() { read -rt 1 -u 9; }; else nap() { sleep 1 || exit; }; fi
echo "$seen"
xpu </dev/null | while IFS= read -r v; do
echo "xpu $v"
done &
while :; do sample; nap; done
`;

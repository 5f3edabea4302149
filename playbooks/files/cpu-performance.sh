#!/bin/bash
# Keeps every CPU at the performance governor with a raised minimum frequency. The minimum is clamped to what each
# policy has (hybrid CPUs have several). Usage: cpu-performance set|check MIN_KHZ
# cpupower is tried first because it also handles drivers that sysfs does not; what counts is what the kernel says after.
mode=$1 want=$2
root=${ARC_ROOT-}
policies="$root/sys/devices/system/cpu/cpufreq"

clamped() {
  local top
  IFS= read -r top < "$1/cpuinfo_max_freq" || return 1
  if [ "$want" -gt "$top" ]; then echo "$top"; else echo "$want"; fi
}

if [ "$mode" = set ]; then
  if command -v cpupower >/dev/null; then
    cpupower frequency-set -g performance >/dev/null 2>&1 || echo "cpupower could not set the governor, writing to sysfs" >&2
  fi
  for p in "$policies"/policy*; do
    [ -e "$p/scaling_governor" ] || continue
    IFS= read -r now < "$p/scaling_governor"
    [ "$now" = performance ] || printf 'performance\n' > "$p/scaling_governor"
    printf '%s\n' "$(clamped "$p")" > "$p/scaling_min_freq"
  done
fi

rc=0 found=no
for p in "$policies"/policy*; do
  [ -e "$p/scaling_governor" ] || continue
  found=yes
  IFS= read -r governor < "$p/scaling_governor"
  IFS= read -r min < "$p/scaling_min_freq"
  [ "$governor" = performance ] || { echo "${p##*/}: governor $governor, wanted performance"; rc=1; }
  [ "$min" -ge "$(clamped "$p")" ] || { echo "${p##*/}: minimum $min kHz, wanted $(clamped "$p") kHz"; rc=1; }
done
[ "$found" = yes ] || { echo "no cpufreq policy on this host"; rc=1; }
exit "$rc"

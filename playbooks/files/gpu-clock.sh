#!/bin/bash
# Holds every discrete Intel GPU in a frequency window, clamped to what the hardware has, and reads it back from the
# kernel: neither sysfs nor xpu-smi tells when a value was clamped or ignored. Usage: gpu-clock set|check MIN_MHZ MAX_MHZ
mode=$1 min=$2 max=$3
root=${ARC_ROOT-}

value() { local v; IFS= read -r v < "$1" 2>/dev/null && echo "$v"; }

# Frequency files of one GPU as: min max floor ceiling. i915 has them per card, xe per tile.
files_of() {
  local c
  for c in "$1"/drm/card*; do
    if [ -e "$c/gt/gt0/rps_min_freq_mhz" ]; then
      echo "$c/gt/gt0/rps_min_freq_mhz $c/gt/gt0/rps_max_freq_mhz $c/gt/gt0/rps_RPn_freq_mhz $c/gt/gt0/rps_RP0_freq_mhz"
      return
    elif [ -e "$c/gt_min_freq_mhz" ]; then
      echo "$c/gt_min_freq_mhz $c/gt_max_freq_mhz $c/gt_RPn_freq_mhz $c/gt_RP0_freq_mhz"
      return
    fi
  done
  if [ -e "$1/tile0/gt0/freq0/min_freq" ]; then
    local f="$1/tile0/gt0/freq0"
    echo "$f/min_freq $f/max_freq $f/rpn_freq $f/rp0_freq"
  fi
}

clamp() {
  local v=$1
  [ -n "$3" ] && [ "$v" -gt "$3" ] && v=$3
  [ -n "$2" ] && [ "$v" -lt "$2" ] && v=$2
  echo "$v"
}

# The kernel refuses a minimum above the maximum, so the edges move in an order in which they never cross.
by_sysfs() {
  if [ "$4" -gt "$(value "$2")" ]; then
    printf '%s\n' "$4" > "$2" && printf '%s\n' "$3" > "$1"
  else
    printf '%s\n' "$3" > "$1" && printf '%s\n' "$4" > "$2"
  fi 2>/dev/null
}

# 1.x wants a tile; 2.x has none and refuses a window of one value, so its lower edge stays one step (50 MHz) below.
by_xpu_smi() {
  local bdf=$1 low=$2 high=$3 id
  command -v xpu-smi >/dev/null || return 1
  id=$(xpu-smi discovery --dump 1,11 2>/dev/null | grep -i "$bdf" | cut -d, -f1 | tr -cd '0-9')
  [ -n "$id" ] || return 1
  case $(xpu-smi -v 2>/dev/null | grep -m1 -i version) in
    *[!0-9.]1.*) xpu-smi config -d "$id" -t 0 --frequencyrange "$low,$high" ;;
    *)
      [ "$low" -lt "$high" ] || low=$((high - 50))
      xpu-smi config --device "$id" --frequencyrange "$low,$high" ;;
  esac
}

rc=0 found=no
for d in "$root"/sys/bus/pci/devices/*; do
  case $(value "$d/vendor"),$(value "$d/class") in 0x8086,0x0300* | 0x8086,0x0380*) ;; *) continue ;; esac
  case $(value "$d/device") in 0x56?? | 0xe2?? | 0x0bd?) ;; *) continue ;; esac
  bdf=${d##*/}
  read -r min_file max_file floor_file ceiling_file <<< "$(files_of "$d")"
  if [ -z "$min_file" ]; then echo "$bdf: no frequency files, is its driver loaded?"; rc=1; continue; fi
  found=yes
  floor=$(value "$floor_file") ceiling=$(value "$ceiling_file")
  low=$(clamp "$min" "$floor" "$ceiling") high=$(clamp "$max" "$floor" "$ceiling")
  now="$(value "$min_file"),$(value "$max_file")"
  if [ "$mode" = set ] && [ "$now" != "$low,$high" ]; then
    by_sysfs "$min_file" "$max_file" "$low" "$high"
    now="$(value "$min_file"),$(value "$max_file")"
    if [ "$now" != "$low,$high" ]; then
      by_xpu_smi "$bdf" "$low" "$high"
      now="$(value "$min_file"),$(value "$max_file")"
    fi
  fi
  if [ "$now" != "$low,$high" ]; then echo "$bdf: $now MHz, wanted $low,$high MHz"; rc=1; else echo "$bdf: $now MHz"; fi
done
[ "$found" = yes ] || { echo "no discrete Intel GPU with frequency files"; rc=1; }
exit "$rc"

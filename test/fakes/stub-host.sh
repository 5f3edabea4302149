#!/bin/bash
# Stands in for the system commands of an Ubuntu host whose / is $ARC_ROOT. Every command is a link to this file. State
# lies in $ARC_ROOT/state: installed (name version), held, offered (name version), groups, enabled, active.
set -u
S="$ARC_ROOT/state"
me=${0##*/}
echo "$me $*" >> "$S/log"

installed() { while read -r n v; do [ "$n" = "$1" ] && { echo "$v"; return 0; }; done < "$S/installed"; return 1; }
matches() { while read -r n v; do [[ $n == $1 ]] && echo "$n $v"; done < "$S/installed"; }
offered() { while read -r n v; do [ "$n" = "$1" ] && echo "$v"; done < "$S/offered"; }
drop() { grep -v "^$1 " "$S/installed" > "$S/new"; mv "$S/new" "$S/installed"; }
kernel() { cat "$S/running"; }

install_package() {
  local name=$1 version=$2 release
  drop "$name"; echo "$name $version" >> "$S/installed"
  case $name in
    linux-image-*) release=${name#linux-image-}; echo k > "$ARC_ROOT/boot/vmlinuz-$release"; echo i > "$ARC_ROOT/boot/initrd.img-$release" ;;
    linux-headers-*) mkdir -p "$ARC_ROOT/lib/modules/${name#linux-headers-}/build/include" ;;
    intel-i915-dkms)
      if [ "$(kernel)" != 6.5.0-35-generic ]; then
        echo "Error! Bad return status for module build on kernel: $(kernel) (x86_64)"; echo "intel-i915-dkms" > "$S/broken"; return 10
      fi
      echo "$(kernel)" >> "$S/dkms" ;;
  esac
}

update_grub() {
  local release newest=
  {
    printf 'function recordfail {\n}\n'
    for f in $(ls "$ARC_ROOT"/boot/vmlinuz-* | sort -rV); do
      release=${f##*/vmlinuz-}
      [ -z "$newest" ] && { newest=$release
        printf "menuentry 'Ubuntu' \$menuentry_id_option 'gnulinux-simple-U' {\n\tlinux\t/boot/vmlinuz-%s root=U\n}\n" "$release"
        printf "submenu 'Advanced options for Ubuntu' \$menuentry_id_option 'gnulinux-advanced-U' {\n"; }
      printf "\tmenuentry 'Ubuntu, with Linux %s' \$menuentry_id_option 'gnulinux-%s-advanced-U' {\n\t\tlinux\t/boot/vmlinuz-%s root=U\n\t}\n" "$release" "$release" "$release"
      printf "\tmenuentry 'Ubuntu, with Linux %s (recovery mode)' \$menuentry_id_option 'gnulinux-%s-recovery-U' {\n\t\tlinux\t/boot/vmlinuz-%s root=U\n\t}\n" "$release" "$release" "$release"
    done
    printf '}\n'
  } > "$ARC_ROOT/boot/grub/grub.cfg"
}

env_get() { sed -n "s/^$1=//p" "$ARC_ROOT/boot/grub/grubenv" 2>/dev/null; }
env_set() {
  grep -v "^$1=" "$ARC_ROOT/boot/grub/grubenv" > "$S/new" 2>/dev/null
  [ -n "$2" ] && echo "$1=$2" >> "$S/new"
  mv "$S/new" "$ARC_ROOT/boot/grub/grubenv"
}

boot() {
  local wanted release
  wanted=$(env_get next_entry); env_set next_entry ""
  if [ -z "$wanted" ] && grep -qs 'GRUB_DEFAULT=saved' "$ARC_ROOT"/etc/default/grub.d/*.cfg; then wanted=$(env_get saved_entry); fi
  release=$(echo "$wanted" | sed -n 's/.*gnulinux-\(.*\)-advanced-U$/\1/p')
  [ -n "$release" ] || release=$(ls "$ARC_ROOT"/boot/vmlinuz-* | sort -rV | head -n 1 | sed 's/.*vmlinuz-//')
  # A kernel named in state/panics never comes up: the firmware starts GRUB again, without a one-time entry.
  if grep -qsx "$release" "$S/panics"; then boot; return; fi
  echo "$release" > "$S/running"
  echo "boot-$RANDOM$RANDOM" > "$ARC_ROOT/proc/sys/kernel/random/boot_id"
  rm -f "$ARC_ROOT/var/run/reboot-required"
  if grep -qsx "$release" "$S/dkms"; then echo DKMS > "$ARC_ROOT/sys/module/i915/srcversion"; else echo TREE > "$ARC_ROOT/sys/module/i915/srcversion"; fi
  for f in "$ARC_ROOT"/sys/bus/pci/devices/*/drm/card*/gt/gt0; do echo 300 > "$f/rps_min_freq_mhz"; echo 2400 > "$f/rps_max_freq_mhz"; done
  for f in "$ARC_ROOT"/sys/devices/system/cpu/cpufreq/policy*; do echo powersave > "$f/scaling_governor"; echo 800000 > "$f/scaling_min_freq"; done
  : > "$S/active"
  while read -r unit; do start "$unit"; done < "$S/enabled"
}

start() {
  local line
  case $1 in *.service) ;; *) echo "$1" >> "$S/active"; return 0 ;; esac
  line=$(sed -n 's/^ExecStart=//p' "$ARC_ROOT/etc/systemd/system/$1" 2>/dev/null)
  [ -n "$line" ] || return 5
  ( cd "$ARC_ROOT" && bash "$ARC_ROOT"${line%% *} ${line#* } ) >> "$S/journal" 2>&1 || return 1
  echo "$1" >> "$S/active"
}

case $me in
  uname) case ${1-} in -m) echo x86_64 ;; *) kernel ;; esac ;;
  nproc) echo 16 ;;
  sync) ;;
  id)
    case "${1-} ${2-}" in
      "-u "*) echo 0 ;; "-un "*) echo bench ;; "-Gn ") cat "$S/session" ;; "-Gn "*) cat "$S/groups" ;;
    esac ;;
  getent) [ "$2" = render ] || [ "$2" = video ] ;;
  groupadd) ;;
  usermod) echo "$(cat "$S/groups") $3" > "$S/groups" ;;
  gpasswd) sed -i "s/ $3\$//; s/ $3 / /" "$S/groups" ;;
  sudo) while [[ $1 == -* ]]; do shift; done; "$@" ;;
  dpkg) case $1 in --audit) cat "$S/broken" 2>/dev/null ;; --configure) rm -f "$S/broken" ;; esac; true ;;
  dpkg-query)
    format=$2; shift 2; [ "$1" = -f ] && shift; format=${format#-f=}
    rc=0
    for pattern; do
      found=$(matches "$pattern"); [ -n "$found" ] || { rc=1; continue; }
      echo "$found" | while read -r n v; do
        status="ii "; grep -qsx "$n" "$S/held" && status="hi "; grep -qsx "$n" "$S/broken" && status="iF "
        line=${format//'${Package}'/$n}; line=${line//'${Version}'/$v}; line=${line//'${db:Status-Abbrev}'/$status}
        printf "$line"
      done
    done
    exit $rc ;;
  apt-mark)
    verb=$1; shift
    touch "$S/held"
    case $verb in
      showhold) cat "$S/held" ;;
      hold) for n; do grep -qx "$n" "$S/held" || echo "$n" >> "$S/held"; done ;;
      unhold) for n; do grep -vx "$n" "$S/held" > "$S/new"; mv "$S/new" "$S/held"; done ;;
    esac ;;
  apt-cache)
    case $1 in
      policy) v=$(offered "$2" | tail -n 1); echo "$2:"; echo "  Installed: (none)"; echo "  Candidate: ${v:-(none)}" ;;
      madison) offered "$2" | while read -r v; do echo " $2 | $v | http://archive jammy/main amd64 Packages"; done ;;
      search) while read -r n v; do echo "$n" | grep -qE "$3" && echo "$n - text"; done < "$S/offered" ;;
    esac; true ;;
  apt-get)
    simulate=; words=
    while [ $# -gt 0 ]; do case $1 in -o) shift ;; -s) simulate=1 ;; -*) ;; *) words="$words $1" ;; esac; shift; done
    set -- $words; verb=$1; shift
    case $verb in
      update)
        if [ -s "$S/lists-locked" ]; then
          n=$(cat "$S/lists-locked"); [ "$n" -gt 1 ] && echo $((n - 1)) > "$S/lists-locked" || rm "$S/lists-locked"
          echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1234 (apt-get)"; exit 100
        fi
        mkdir -p "$ARC_ROOT/var/lib/apt/lists"; echo x > "$ARC_ROOT/var/lib/apt/lists/archive_Packages"
        [ -e "$ARC_ROOT/etc/apt/sources.list.d/intel-gpu-jammy.list" ] && cat "$S/offered-by-intel" >> "$S/offered"
        true ;;
      install)
        [ -e "$S/removes" ] && echo "Remv $(cat "$S/removes") [1.0]"
        for p; do
          v=${p#*=}; [ "$v" = "$p" ] && v=$(offered "${p%%=*}" | tail -n 1)
          offered "${p%%=*}" | grep -qxF -- "$v" || { echo "E: Unable to locate package $p"; exit 100; }
          if [ -n "$simulate" ]; then echo "Inst ${p%%=*} ($v)"; else install_package "${p%%=*}" "$v" || exit 100; fi
        done ;;
      remove)
        [ -e "$S/removes" ] && echo "Remv $(cat "$S/removes") [1.0]"
        [ -n "$simulate" ] && exit 0
        for p; do drop "$p"; case $p in linux-image-*) rm -f "$ARC_ROOT/boot/"*"-${p#linux-image-}" ;; esac; done ;;
    esac ;;
  gpg)
    case $1 in
      --show-keys) printf 'pub:-:\nfpr:::::::::%s:\nsub:-:\nfpr:::::::::FFFF:\n' "$(cat "$S/key-fingerprint")" ;;
      *) cp "${@: -1}" "$4" ;;
    esac ;;
  curl) echo KEY ;;
  update-grub) update_grub ;;
  update-initramfs) ;;
  grub-editenv)
    case $2 in list) cat "$ARC_ROOT/boot/grub/grubenv" 2>/dev/null ;; unset) env_set "$3" "" ;; esac; true ;;
  grub-set-default) env_set saved_entry "$1" ;;
  grub-reboot) env_set next_entry "$1" ;;
  grub-probe) cat "$S/grub-probe" 2>/dev/null; true ;;
  dkms)
    case $1 in
      status) touch "$S/dkms"; while read -r k; do echo "intel-i915-dkms/1.24.2.17.240301.20, $k, x86_64: installed"; done < "$S/dkms" ;;
      autoinstall) installed intel-i915-dkms >/dev/null && echo "$3" >> "$S/dkms" ;;
    esac ;;
  modinfo)
    release=$(kernel); [ "$1" = -k ] && { release=$2; shift 2; }
    built=; grep -qsx "$release" "$S/dkms" && built=1
    case "$*" in
      "-n i915") [ -n "$built" ] && echo "/lib/modules/$release/updates/dkms/i915.ko" || echo "/lib/modules/$release/kernel/drivers/gpu/drm/i915/i915.ko" ;;
      "-F srcversion i915") [ -n "$built" ] && echo DKMS || echo TREE ;;
      *) ;;
    esac ;;
  mokutil) echo "SecureBoot disabled" ;;
  dmesg) echo "[    3.2] i915 0000:03:00.0: [drm] GT0: GuC firmware i915/dg2_guc_70.bin version 70.20.0" ;;
  df) printf 'Filesystem 1M Used Available Use Mounted\n/dev/x 900 100 800 12%% /boot\n' ;;
  journalctl) ;;
  systemd-run) boot ;;
  systemctl)
    verb=$1; shift; now=; [ "${1-}" = --now ] && { now=1; shift; }
    unit=${!#:-}
    case $verb in
      is-enabled) grep -qsx "masked $unit" "$S/enabled" && { echo masked; exit 1; }; grep -qsx "$unit" "$S/enabled" && echo enabled || { echo disabled; exit 1; } ;;
      is-active) grep -qsx "$unit" "$S/active" && echo active || { echo inactive; exit 3; } ;;
      enable) grep -qsx "$unit" "$S/enabled" || echo "$unit" >> "$S/enabled"; true ;;
      disable) grep -vx "$unit" "$S/enabled" > "$S/new"; mv "$S/new" "$S/enabled"; grep -vx "$unit" "$S/active" > "$S/new"; mv "$S/new" "$S/active" ;;
      restart | start) grep -vx "$unit" "$S/active" > "$S/new"; mv "$S/new" "$S/active"; start "$unit" ;;
      *) ;;
    esac ;;
  docker)
    # Whoever asks starts it: that is what its socket is for.
    grep -qsx docker.socket "$S/active" && { grep -qsx docker.service "$S/active" || echo docker.service >> "$S/active"; }
    case "$1 $2" in
      "image inspect") grep -qsx "${!#}" "$S/images" && echo "sha256:0123" ;;
      "image rm") grep -vx "$3" "$S/images" > "$S/new"; mv "$S/new" "$S/images" ;;
      pull*) echo "$2" >> "$S/images" ;;
    esac ;;
  *) echo "stub-host has no $me" >&2; exit 127 ;;
esac

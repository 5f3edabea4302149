import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { packageSpec } from "./word-schemas.ts";

const schema = z.strictObject({
  packages: z.array(packageSpec).min(1),
  /** Free space on /boot before anything is installed. */
  boot_free_mb: z.number().int().positive().optional(),
  /** Packages that the installation may remove; any other removal is refused. */
  may_remove: z.array(packageSpec).optional(),
});

/** Installs packages, at a version when one is named, and holds them when the step says `hold: true`. */
export const aptKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body, { hold }) =>
    scriptWork({
      check: `${APT_STATE}${CHECK}`,
      apply: `${APT_STATE}${APT_RUN}${APPLY}`,
      undo: UNDO,
      env: {
        PACKAGES: body.packages.join(" "),
        HOLD: hold ? "yes" : "",
        BOOT_FREE_MB: String(body.boot_free_mb ?? 0),
        MAY_REMOVE: (body.may_remove ?? []).join(" "),
      },
      onDisconnect: "finish",
    }),
};

/** Reads what dpkg knows of $PACKAGES once; the status letters are "ii", or "hi" for a package on hold. */
const APT_STATE = `
arc_names=; for p in $PACKAGES; do arc_names="$arc_names \${p%%=*}"; done
arc_read() {
  arc_dpkg=$(dpkg-query -W -f='\${Package} \${Version} \${db:Status-Abbrev}\\n' $arc_names 2>/dev/null)
  # Not apt-mark: it builds apt's whole cache to say what the first status letter says.
  arc_held=" $(while read -r name version status; do
    case \${status:-$version} in h*) printf '%s ' "$name" ;; esac
  done <<< "$arc_dpkg")"
}
arc_version() {
  local name version status
  while read -r name version status; do
    case $name,$status in "$1",?i*) echo "$version"; return ;; esac
  done <<< "$arc_dpkg"
}
arc_missing() {
  local p have want
  for p in $PACKAGES; do
    have=$(arc_version "\${p%%=*}"); want=\${p#*=}; [ "$want" = "$p" ] && want=
    if [ -z "$have" ] || { [ -n "$want" ] && [ "$have" != "$want" ]; }; then
      echo "\${p%%=*} \${have:-absent} \${want:-installed}"
    fi
  done
}
arc_unheld() {
  local name
  [ -n "$HOLD" ] || return 0
  for name in $arc_names; do
    case $arc_held in *" $name "*) ;; *) [ -n "$(arc_version "$name")" ] && echo "$name" ;; esac
  done
}
arc_read
`;

const CHECK = `
# Which version apt would take, as far as its lists know today.
arc_candidate() {
  local line
  apt-cache policy "$1" 2>/dev/null | while IFS= read -r line; do
    case $line in *"Candidate: "[!\\(]*) echo "\${line##*: }" ;; esac
  done
}
while read -r name have want; do
  [ -n "$name" ] || continue
  candidate=; [ "$want" = installed ] && candidate=$(arc_candidate "$name")
  arc_differs "$name $have" "$name \${candidate:-$want}"
done <<< "$(arc_missing)"
for name in $(arc_unheld); do arc_differs "$name not held" "$name held"; done
[ "$arc_rc" = 0 ] && arc_evidence "$arc_dpkg"
exit "$arc_rc"
`;

/**
 * The lock time-out of apt does not cover the lists lock of `update`, which fails at once; so that has its own loop.
 * needrestart asks questions even under the noninteractive frontend and may restart sshd: it is suspended.
 */
export const APT_RUN = `
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
arc_apt() {
  apt-get -y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \\
    --no-install-recommends "$@"
}
arc_update() {
  local try out
  for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    out=$(arc_apt update 2>&1) && return 0
    case $out in *"Could not get lock"*lists*) printf '%s\\n' "$out" | grep 'held by' ;; *) break ;; esac
    sleep "\${ARC_RETRY_S:-10}"
  done
  printf '%s\\n' "$out"
  return 1
}
# Once per run: lists do not age in minutes.
arc_update_once() {
  [ -e "$ARC_RUN_DIR/apt-updated" ] && return 0
  arc_update || return 1
  [ -n "$ARC_RUN_DIR" ] && : > "$ARC_RUN_DIR/apt-updated"
  return 0
}
# A package that a failed build left half configured breaks every later call of apt until it is dealt with.
arc_repair() {
  [ -z "$(dpkg --audit 2>/dev/null)" ] && return 0
  echo "dpkg was interrupted: running dpkg --configure -a"
  dpkg --configure -a || echo "Some packages could not be configured; going on"
}
`;

const APPLY = `
arc_keep_state() {
  local name have held
  [ -n "$ARC_STEP_DIR" ] && [ ! -e "$ARC_STEP_DIR/packages" ] || return 0
  for name in $arc_names; do
    have=$(arc_version "$name"); held=no; case $arc_held in *" $name "*) held=yes ;; esac
    echo "$name \${have:-absent} $held"
  done > "$ARC_STEP_DIR/packages"
}
# Kernels of the same series first, then any.
arc_nearest() {
  local series
  case $1 in
    linux-*-[0-9]*-generic)
      series=\${1%-*-generic}
      { apt-cache search --names-only "^$series-[0-9]+-generic\\$"
        apt-cache search --names-only "^\${series%-*}-[0-9.]+-[0-9]+-generic\\$"; } |
        while read -r name _; do echo "$name"; done | head -n 3 | tr '\\n' ' ' ;;
  esac
}
arc_check_candidate() {
  local name=\${1%%=*} want=\${1#*=}
  if [ "$want" = "$1" ]; then
    apt-cache policy "$name" | grep -q 'Candidate: [^(]' && return 0
    arc_remedy "No repository of this host offers $name. Nearest: $(arc_nearest "$name")"
  else
    [ "$(arc_version "$name")" = "$want" ] && return 0
    apt-cache madison "$name" | grep -qF "| $want |" && return 0
    arc_remedy "No repository of this host offers $name $want. Offered: $(apt-cache madison "$name" | cut -d'|' -f2 | tr -d ' ' | head -n 5 | tr '\\n' ' ')"
  fi
  arc_fail "no candidate for $1"
}
arc_check_space() {
  local free
  [ "$BOOT_FREE_MB" -gt 0 ] || return 0
  free=$(df -Pm "$ARC_ROOT/boot" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$BOOT_FREE_MB" ] || arc_fail "/boot has $free MB free, $BOOT_FREE_MB are needed"
}
# What was on hold stays on hold, whether the installation worked or not.
arc_hold_again() {
  local name names=
  for name in $arc_names; do
    case "$HOLD$arc_held" in yes* | *" $name "*) names="$names $name" ;; esac
  done
  [ -n "$names" ] && apt-mark hold $names
}
arc_refuse_removals() {
  local plan gone
  plan=$(arc_apt -s --allow-downgrades install $PACKAGES 2>&1) || {
    printf '%s\\n' "$plan"
    arc_hold_again
    arc_fail "apt cannot install these packages"
  }
  for gone in $(printf '%s\\n' "$plan" | grep '^Remv ' | cut -d' ' -f2); do
    case " $MAY_REMOVE " in *" $gone "*) continue ;; esac
    arc_remedy "apt would remove $gone. Look at: apt-get -s install $PACKAGES"
    arc_hold_again
    arc_fail "apt would remove $gone, which nobody asked for"
  done
}

arc_keep_state
if [ -n "$(arc_missing)" ]; then
  arc_repair
  arc_update_once || arc_fail "apt-get update failed"
  for p in $PACKAGES; do arc_check_candidate "$p"; done
  arc_check_space
  apt-mark unhold $arc_names >/dev/null 2>&1
  arc_refuse_removals
  arc_apt --allow-downgrades install $PACKAGES
  apt_rc=$?
  arc_hold_again
  arc_read
  if [ "$apt_rc" != 0 ]; then
    [ -z "$(arc_missing)" ] || exit "$apt_rc"
    echo "apt ended with $apt_rc, but all packages of this step are installed; others are broken:"
    dpkg --audit
  fi
elif [ -n "$HOLD" ]; then
  apt-mark hold $arc_names
fi
true
`;

const UNDO = `${APT_RUN}
remove=; back=; unhold=
while read -r name had held; do
  [ "$held" = no ] && unhold="$unhold $name"
  if [ "$had" = absent ]; then remove="$remove $name"
  elif [ "$(dpkg-query -W -f='\${Version}' "$name" 2>/dev/null)" != "$had" ]; then back="$back $name=$had"; fi
done < "$ARC_STEP_DIR/packages"
[ -n "$unhold$back" ] && apt-mark unhold $unhold $(for p in $back; do echo "\${p%%=*}"; done) >/dev/null
if [ -n "$remove" ]; then
  for gone in $(arc_apt -s remove $remove | grep '^Remv ' | cut -d' ' -f2); do
    case " $remove " in *" $gone "*) continue ;; esac
    arc_remedy "$gone needs packages that this run installed: remove it first, or keep them (apt-get remove$remove)"
    arc_fail "removing what this run installed would remove $gone too"
  done
  arc_apt remove $remove || exit 1
fi
if [ -n "$back" ]; then arc_apt --allow-downgrades install $back || exit 1; fi
while read -r name had held; do [ "$held" = yes ] && apt-mark hold "$name"; done < "$ARC_STEP_DIR/packages"
true
`;

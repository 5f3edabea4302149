/**
 * Functions that every step script may use. A script talks back in lines that start with "@":
 * before, after, evidence, remedy (text for the report), skip (the step does not apply), diff (one line of a file's diff),
 * reboot (now, before the next step) and reconnect (new groups count in a new session only).
 * $ARC_ROOT is empty on real hosts; $ARC_STEP_DIR is where `apply` keeps what `undo` needs.
 */
export const STEP_PRELUDE = `
arc_before() { printf '@before %s\\n' "$*"; }
arc_after() { printf '@after %s\\n' "$*"; }
arc_evidence() { printf '@evidence %s\\n' "$*"; }
arc_remedy() { printf '@remedy %s\\n' "$*"; }
arc_skip() { printf '@skip %s\\n' "$*"; exit 0; }
arc_reboot() { echo @reboot; }
arc_reconnect() { echo @reconnect; }
arc_fail() { printf '%s\\n' "$*" >&2; exit 1; }

arc_rc=0
arc_differs() { arc_before "$1"; arc_after "$2"; arc_rc=1; }

# A step that was applied asks until the host has booted again, also when its run did not live to see to it.
arc_boot_id() { cat "$ARC_ROOT/proc/sys/kernel/random/boot_id" 2>/dev/null; }
arc_ask_reboot() {
  mkdir -p "$ARC_ROOT/run/arc-vllm" 2>/dev/null && arc_boot_id > "$ARC_ROOT/run/arc-vllm/reboot-asked"
}
arc_reboot_is_asked() {
  local asked="$ARC_ROOT/run/arc-vllm/reboot-asked"
  [ -s "$asked" ] && [ "$(cat "$asked")" = "$(arc_boot_id)" ]
}

# Content in $1, path, mode: the reader never sees half a file, and a crash leaves the old one.
arc_write() {
  local tmp="$2.arc-vllm-new"
  mkdir -p "\${2%/*}" && printf '%s' "$1" > "$tmp" && chmod "$3" "$tmp" || return 1
  sync "$tmp" 2>/dev/null
  mv -f "$tmp" "$2"
}

# True when the file at $2 holds exactly $1. The dot keeps the newlines at the end, which $() drops.
arc_same() { [ -f "$2" ] && [ "$(cat "$2"; echo .)" = "$1." ]; }

# What the content $1 would make of the file $2. Said after arc_differs, which it then replaces in the report. The names
# that diff itself prints are those of a stream and of $ARC_ROOT.
arc_diff() {
  local old="$ARC_ROOT$2" name="$2"
  [ -e "$old" ] || { old=/dev/null; name=/dev/null; }
  printf '@diff --- %s\\n@diff +++ %s\\n' "$name" "$2"
  printf '%s' "$1" | diff -u "$old" - 2>/dev/null | sed -n '/^@@/,$s/^/@diff /p'
}

# Keeps the first state of a file in this run, for undo.
arc_save() {
  [ -n "$ARC_STEP_DIR" ] || return 0
  local to="$ARC_STEP_DIR/files$1"
  [ -e "$to" ] || [ -e "$to.absent" ] && return 0
  mkdir -p "\${to%/*}"
  if [ -e "$ARC_ROOT$1" ]; then cp -p "$ARC_ROOT$1" "$to"; else : > "$to.absent"; fi
}

arc_restore() {
  local from="$ARC_STEP_DIR/files$1"
  if [ -e "$from.absent" ]; then rm -f "$ARC_ROOT$1"; elif [ -e "$from" ]; then cp -p "$from" "$ARC_ROOT$1"; fi
}
`;

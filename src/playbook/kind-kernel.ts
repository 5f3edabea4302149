import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { kernelRelease, stepDuration } from "./word-schemas.ts";

const schema = z.strictObject({
  release: kernelRelease,
  /** Boot it once first, and make it the default only when it came up; false: make it the default at once. */
  trial: z
    .union([
      z.literal(false),
      z.strictObject({
        /** After this long without a commit the host goes back to its old kernel by itself. */
        timeout: stepDuration.optional(),
        /** Seconds after a kernel panic until the host reboots (into its old kernel). */
        panic: z.number().int().min(1).max(600).optional(),
      }),
    ])
    .optional(),
});

const DROPIN = "/etc/default/grub.d/90-arc-vllm.cfg";

/**
 * Boots a kernel and keeps booting it. GRUB's default is saved by id: positions and titles move with every kernel that
 * is installed. /etc/default/grub is never touched; deleting the drop-in undoes it.
 */
export const kernelKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: ({ release, trial }) => {
    const limits = trial === false || trial === undefined ? null : trial;
    return scriptWork({
      check: `${GRUB}${CHECK}`,
      apply: `${GRUB}${APPLY}`,
      afterReboot: limits === null ? null : `${GRUB}${COMMIT}`,
      undo: `${GRUB}${UNDO}`,
      env: {
        RELEASE: release,
        DROPIN,
        CONTENT: dropIn(limits?.panic ?? 30),
        TRIAL_SECONDS: limits === null ? "" : String(Math.round((limits.timeout ?? 600_000) / 1000)),
      },
      onDisconnect: "finish",
    });
  },
};

// GRUB waits 30 s at its menu after a failed boot, which nobody answers on a host without a screen.
function dropIn(panicSeconds: number): string {
  return `# Written by arc-vllm. To undo: delete this file and run update-grub.
GRUB_DEFAULT=saved
GRUB_RECORDFAIL_TIMEOUT=5
GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT panic=${panicSeconds}"
`;
}

const GRUB = `
arc_grub_env() {
  local line
  grub-editenv - list 2>/dev/null | while IFS= read -r line; do
    case $line in "$1="*) echo "\${line#*=}" ;; esac
  done
}
# The id of the menu entry of a kernel: of the one in the submenu, since the top one means "the newest".
arc_grub_id() {
  local line id= pre= sub= top= quoted="menuentry_id_option '([^']+)'"
  while IFS= read -r line; do
    if [[ $line = '}' ]]; then sub=
    elif [[ $line =~ ^submenu && $line =~ $quoted ]]; then sub="\${BASH_REMATCH[1]}>"
    elif [[ $line =~ ^[[:space:]]*menuentry && $line =~ $quoted ]]; then
      id=\${BASH_REMATCH[1]}; pre=$sub; [[ $line =~ ^menuentry ]] && pre=
    elif [[ $line =~ ^[[:space:]]*linux.*vmlinuz-([^[:space:]]+) ]] && [[ \${BASH_REMATCH[1]} = "$1" ]]; then
      case $id in *recovery*) ;; gnulinux-simple-*) top=$id ;; *) echo "$pre$id"; return 0 ;; esac
    fi
  done < "$ARC_ROOT/boot/grub/grub.cfg" 2>/dev/null
  [ -n "$top" ] && echo "$top"
}
arc_default() { grub-set-default "$1" && [ "$(arc_grub_env saved_entry)" = "$1" ]; }
running=$(uname -r)
trial="$ARC_ROOT/var/lib/arc-vllm/trial"
units="$ARC_ROOT/etc/systemd/system"
arc_disarm() {
  [ -e "$units/arc-vllm-trial.timer" ] || [ -e "$trial" ] || return 0
  systemctl disable --now arc-vllm-trial.timer >/dev/null 2>&1
  rm -f "$trial" "$units/arc-vllm-trial.timer" "$units/arc-vllm-trial.service"
  systemctl daemon-reload
}
`;

const CHECK = `
[ "$running" = "$RELEASE" ] || arc_differs "runs $running" "runs $RELEASE"
id=$(arc_grub_id "$RELEASE"); saved=$(arc_grub_env saved_entry)
if [ -z "$id" ]; then arc_differs "no GRUB entry for $RELEASE" "GRUB boots $RELEASE"
elif [ "$saved" != "$id" ]; then arc_differs "GRUB boots \${saved:-its first entry}" "GRUB boots $id"
fi
if ! arc_same "$CONTENT" "$ARC_ROOT$DROPIN"; then
  [ -e "$ARC_ROOT$DROPIN" ] && arc_differs "$DROPIN differs" "$DROPIN" || arc_differs "no $DROPIN" "$DROPIN"
  arc_diff "$CONTENT" "$DROPIN"
fi
[ "$arc_rc" = 0 ] && arc_evidence "uname -r: $running; saved_entry=$saved"
exit "$arc_rc"
`;

const APPLY = `
for f in "vmlinuz-$RELEASE" "initrd.img-$RELEASE"; do
  [ -s "$ARC_ROOT/boot/$f" ] && continue
  arc_remedy "Install the image again: apt-get install --reinstall linux-image-$RELEASE; and look at the free space of /boot"
  arc_fail "/boot/$f is missing or empty: the host would not come up"
done
if [ -n "$TRIAL_SECONDS" ] && [ "$running" != "$RELEASE" ]; then
  # GRUB cannot write its environment there, so that the one-time entry would stick.
  layer=$(grub-probe --target=abstraction /boot/grub/grubenv 2>/dev/null); fs=$(grub-probe --target=fs /boot/grub/grubenv 2>/dev/null)
  case "$layer $fs" in *lvm* | *diskfilter* | *mdraid* | *btrfs* | *zfs*)
    arc_remedy "/boot/grub is on $layer $fs, where GRUB cannot forget a trial entry: set trial: false to boot directly"
    arc_fail "a trial boot is not possible" ;;
  esac
  for n in "$ARC_ROOT"/sys/class/net/*/device/driver/module; do
    [ -e "$n" ] || continue
    driver=$(readlink -f "$n"); driver=\${driver##*/}
    modinfo -k "$RELEASE" "$driver" >/dev/null 2>&1 || arc_fail "kernel $RELEASE has no network driver $driver: the host would not come back"
  done
fi

[ -n "$ARC_STEP_DIR" ] && [ ! -e "$ARC_STEP_DIR/boot" ] && echo "$running $(arc_grub_env saved_entry)" > "$ARC_STEP_DIR/boot"
arc_save "$DROPIN"
arc_write "$CONTENT" "$ARC_ROOT$DROPIN" 0644 || exit 1
update-grub || arc_fail "update-grub failed"
id=$(arc_grub_id "$RELEASE")
[ -n "$id" ] || arc_fail "grub.cfg has no entry for $RELEASE"
if [ "$running" = "$RELEASE" ]; then arc_default "$id" && arc_disarm; exit; fi
if [ -z "$TRIAL_SECONDS" ]; then arc_default "$id" && arc_reboot; exit; fi

old=$(arc_grub_id "$running")
[ -n "$old" ] || arc_fail "grub.cfg has no entry for the running kernel $running to fall back to"
arc_default "$old" || arc_fail "GRUB's default could not be saved"
mkdir -p "$ARC_ROOT/var/lib/arc-vllm" "$ARC_ROOT/var/log/journal"
arc_write "$RELEASE" "$trial" 0644 || exit 1
# Comes up without network or SSH: nobody commits, the timer brings the old kernel back.
arc_write "[Unit]
Description=arc-vllm: leave a kernel on trial that nobody committed
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'if [ \\"\\$\\$(cat /var/lib/arc-vllm/trial)\\" = \\"\\$\\$(uname -r)\\" ]; then rm /var/lib/arc-vllm/trial; systemctl reboot; fi'
" "$units/arc-vllm-trial.service" 0644 || exit 1
arc_write "[Unit]
Description=arc-vllm: dead man's timer of a trial boot
[Timer]
OnBootSec=$TRIAL_SECONDS
[Install]
WantedBy=timers.target
" "$units/arc-vllm-trial.timer" 0644 || exit 1
systemctl daemon-reload && systemctl enable arc-vllm-trial.timer || exit 1
grub-reboot "$id" && [ "$(arc_grub_env next_entry)" = "$id" ] || arc_fail "GRUB did not take the one-time entry"
arc_reboot
`;

const COMMIT = `
if [ "$running" != "$RELEASE" ]; then
  arc_disarm
  arc_remedy "The host fell back to $running. Look at the failed boot: journalctl -b -1 -k -p err"
  journalctl -b -1 -k -p err --no-pager -n 20 2>/dev/null
  arc_fail "kernel $RELEASE did not come up"
fi
arc_default "$(arc_grub_id "$RELEASE")" || arc_fail "GRUB's default could not be saved"
arc_disarm
`;

const UNDO = `
read -r before saved < "$ARC_STEP_DIR/boot"
arc_disarm
arc_restore "$DROPIN"
if [ -n "$saved" ]; then grub-set-default "$saved"; else grub-editenv - unset saved_entry; fi
grub-editenv - unset next_entry
update-grub || exit 1
[ "$before" = "$running" ] || arc_reboot
`;

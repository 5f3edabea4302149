import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { FILE_APPLY, FILE_CHECK } from "./kind-file.ts";
import { unitName } from "./word-schemas.ts";

const schema = z.strictObject({
  name: unitName,
  /** Text of the unit file; without it the unit of that name is expected to exist. */
  content: z.string().optional(),
  state: z.enum(["enabled-started", "enabled", "disabled-stopped", "masked"]),
});

/** A systemd unit and whether it runs, now and after a boot. A change of its file restarts it. */
export const unitKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) => {
    const file = body.content === undefined ? "" : `/etc/systemd/system/${body.name}`;
    return scriptWork({
      check: `${file === "" ? "" : FILE_CHECK}${CHECK}`,
      apply: `${KEEP}${file === "" ? "" : `${FILE_APPLY}systemctl daemon-reload || exit 1\n`}${APPLY}`,
      undo: UNDO,
      env: { UNIT: body.name, STATE: body.state, FILE: file, CONTENT: body.content ?? "", MODE: "644" },
    });
  },
};

const CHECK = `
enabled=$(systemctl is-enabled "$UNIT" 2>/dev/null); active=$(systemctl is-active "$UNIT" 2>/dev/null)
now="$UNIT \${enabled:-not found}, \${active:-inactive}"
case $STATE in
  enabled-started) [ "$enabled" = enabled ] && [ "$active" = active ] || arc_differs "$now" "enabled, active" ;;
  enabled) [ "$enabled" = enabled ] || arc_differs "$now" enabled ;;
  disabled-stopped)
    case $enabled,$active in enabled,* | *,active | *,activating) arc_differs "$now" "disabled, inactive" ;; esac ;;
  masked) case $enabled in masked | "") ;; *) arc_differs "$now" masked ;; esac ;;
esac
[ "$arc_rc" = 0 ] && arc_evidence "$now"
exit "$arc_rc"
`;

const KEEP = `
if [ -n "$ARC_STEP_DIR" ] && [ ! -e "$ARC_STEP_DIR/unit" ]; then
  echo "$(systemctl is-enabled "$UNIT" 2>/dev/null) $(systemctl is-active "$UNIT" 2>/dev/null)" > "$ARC_STEP_DIR/unit"
fi
`;

const APPLY = `
case $STATE in
  enabled-started) systemctl enable "$UNIT" && systemctl restart "$UNIT" ;;
  enabled) systemctl enable "$UNIT" ;;
  disabled-stopped) systemctl disable --now "$UNIT" ;;
  masked) systemctl mask --now "$UNIT" ;;
esac
rc=$?
[ "$rc" = 0 ] || systemctl status --no-pager --lines=20 "$UNIT"
exit "$rc"
`;

const UNDO = `
read -r enabled active < "$ARC_STEP_DIR/unit"
case $STATE in
  masked) systemctl unmask "$UNIT" ;;
  *) [ "$enabled" = enabled ] || systemctl disable --now "$UNIT" ;;
esac
if [ -n "$FILE" ]; then arc_restore "$FILE"; fi
systemctl daemon-reload
[ "$enabled" = enabled ] && systemctl enable "$UNIT"
[ "$active" = active ] && systemctl restart "$UNIT"
true
`;

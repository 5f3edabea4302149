import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { word } from "./word-schemas.ts";

const schema = z.strictObject({
  /** Below /sys or /proc/sys; may hold *. */
  path: word(/^\/(sys|proc\/sys)\/(?!.*\.\.)[A-Za-z0-9_.:*@+/-]+$/, "a path below /sys or /proc/sys"),
  value: word(/^[\x21-\x7e][\x20-\x7e]*$/, "one line of plain text"),
});

/** A kernel setting until the next boot. For one that lasts, use a unit. */
export const sysfsKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) =>
    scriptWork({
      check: `
found=no
for f in $ARC_ROOT$SETTING; do
  [ -e "$f" ] || continue
  found=yes
  IFS= read -r v < "$f"
  [ "$v" = "$VALUE" ] || arc_differs "$f is $v" "$VALUE"
done
[ "$found" = yes ] || arc_differs "no $SETTING" "$VALUE"
exit "$arc_rc"`,
      apply: `
for f in $ARC_ROOT$SETTING; do
  IFS= read -r v < "$f" || arc_fail "cannot read $f"
  [ "$v" = "$VALUE" ] && continue
  [ -n "$ARC_STEP_DIR" ] && echo "$f $v" >> "$ARC_STEP_DIR/settings"
  printf '%s\\n' "$VALUE" > "$f" || arc_fail "the kernel refused $VALUE for $f"
done`,
      undo: 'while read -r f v; do printf "%s\\n" "$v" > "$f"; done < "$ARC_STEP_DIR/settings"',
      env: { SETTING: body.path, VALUE: body.value },
    }),
};

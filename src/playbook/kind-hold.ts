import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { packageName } from "./word-schemas.ts";

const schema = z.strictObject({
  packages: z.array(packageName).min(1),
  /** Leave packages alone that are not installed. */
  if_installed: z.boolean().optional(),
});

/** Keeps packages at the version they have: metapackages that float are how a pinned kernel gets lost. */
export const holdKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) =>
    scriptWork({
      check: `${STATE}
for name in $(arc_unheld); do arc_differs "$name not held" "$name held"; done
[ "$arc_rc" = 0 ] && arc_evidence "on hold:$arc_held"
exit "$arc_rc"`,
      apply: `${STATE}
names=$(arc_unheld)
[ -n "$ARC_STEP_DIR" ] && printf '%s\\n' $names > "$ARC_STEP_DIR/unheld"
[ -z "$names" ] || apt-mark hold $names`,
      undo: 'apt-mark unhold $(cat "$ARC_STEP_DIR/unheld")',
      env: { PACKAGES: body.packages.join(" "), IF_INSTALLED: body.if_installed ? "yes" : "" },
    }),
};

const STATE = `
arc_held=" $(dpkg-query -W -f='\${db:Status-Abbrev} \${Package}\\n' $PACKAGES 2>/dev/null | while read -r status name; do
  case $status in h*) printf '%s ' "$name" ;; esac
done)"
arc_wanted() {
  if [ -z "$IF_INSTALLED" ]; then printf '%s\\n' $PACKAGES; return; fi
  dpkg-query -W -f='\${Package} \${db:Status-Abbrev}\\n' $PACKAGES 2>/dev/null | while read -r name status; do
    case $status in ?i*) echo "$name" ;; esac
  done
}
arc_unheld() {
  local name
  for name in $(arc_wanted); do case $arc_held in *" $name "*) ;; *) echo "$name" ;; esac; done
}
`;

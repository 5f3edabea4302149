import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { accountName } from "./word-schemas.ts";

const schema = z.strictObject({
  /** The user that logs in, unless named. */
  user: accountName.optional(),
  add: z.array(accountName).min(1),
});

/** Puts a user into groups. The session is opened again afterwards: groups count from the next login on. */
export const groupsKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) =>
    scriptWork({
      check: `${STATE}
for group in $(arc_absent); do arc_differs "$user not in $group" "$user in $group"; done
[ "$arc_rc" = 0 ] && arc_evidence "$user:$arc_groups"
exit "$arc_rc"`,
      apply: `${STATE}
for group in $(arc_absent); do
  getent group "$group" >/dev/null || groupadd --system "$group" || exit 1
  usermod -a -G "$group" "$user" || exit 1
  [ -n "$ARC_STEP_DIR" ] && echo "$user $group" >> "$ARC_STEP_DIR/groups"
done
arc_reconnect`,
      undo: 'while read -r user group; do gpasswd -d "$user" "$group"; done < "$ARC_STEP_DIR/groups"; arc_reconnect',
      env: { GROUP_USER: body.user ?? "", GROUPS_TO_ADD: body.add.join(" ") },
    }),
};

// `id` with a name reads the account database, without one the session, which lags behind.
const STATE = `
user=\${GROUP_USER:-$ARC_LOGIN_USER}
arc_groups=" $(id -Gn "$user" 2>/dev/null) "
arc_absent() {
  local group
  for group in $GROUPS_TO_ADD; do case $arc_groups in *" $group "*) ;; *) echo "$group" ;; esac; done
}
`;

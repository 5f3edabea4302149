import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { APT_RUN } from "./kind-apt.ts";
import { absolutePath, word } from "./word-schemas.ts";

const schema = z.strictObject({
  /** Name of the list in /etc/apt/sources.list.d. */
  file: word(/^[A-Za-z0-9][A-Za-z0-9_.-]*\.list$/, "a file name that ends in .list"),
  line: word(/^deb [^\n]+$/, 'one line that starts with "deb "'),
  key: z.strictObject({
    url: word(/^(https|file):\/\/[^\s"']+$/, "an address with https"),
    keyring: absolutePath,
    /** Fingerprints of every primary key in the file; without them a key is trusted because https delivered it. */
    fingerprints: word(
      /^([0-9A-F]{40}( [0-9A-F]{40})*)?$/,
      "fingerprints of 40 hexadecimal digits in capitals",
    ).optional(),
  }),
});

/** A package repository with its own keyring, as `signed-by` wants it. */
export const aptRepoKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) =>
    scriptWork({
      check: `${FINGERPRINTS}${CHECK}`,
      apply: `${FINGERPRINTS}${APT_RUN}${APPLY}`,
      undo: `${APT_RUN}arc_restore "$LIST"; arc_restore "$KEYRING"; arc_update`,
      env: {
        LIST: `/etc/apt/sources.list.d/${body.file}`,
        CONTENT: `${body.line}\n`,
        KEY_URL: body.key.url,
        KEYRING: body.key.keyring,
        TRUSTED_KEYS: body.key.fingerprints ?? "",
      },
      onDisconnect: "finish",
    }),
};

const FINGERPRINTS = `
# Of primary keys only: the line after each "pub".
arc_fingerprints() {
  gpg --show-keys --with-colons "$1" 2>/dev/null |
    awk -F: '$1 == "pub" { want = 1 } $1 == "fpr" && want { print $10; want = 0 }'
}
# Every key in the file has to be a known one: a file with one more key would trust that one as well.
arc_trusted() {
  local key all
  [ -n "$TRUSTED_KEYS" ] || return 0
  all=$(arc_fingerprints "$1")
  [ -n "$all" ] || return 1
  for key in $all; do case " $TRUSTED_KEYS " in *" $key "*) ;; *) return 1 ;; esac; done
}
`;

const CHECK = `
if ! arc_same "$CONTENT" "$ARC_ROOT$LIST"; then
  [ -e "$ARC_ROOT$LIST" ] && arc_differs "$LIST differs" "$CONTENT" || arc_differs "no $LIST" "$CONTENT"
  arc_diff "$CONTENT" "$LIST"
fi
if [ ! -s "$ARC_ROOT$KEYRING" ]; then arc_differs "no $KEYRING" "key of $KEY_URL"
elif ! arc_trusted "$ARC_ROOT$KEYRING"; then
  arc_differs "$KEYRING holds $(arc_fingerprints "$ARC_ROOT$KEYRING" | tr '\\n' ' ')" "$TRUSTED_KEYS"
fi
exit "$arc_rc"
`;

const APPLY = `
arc_save "$LIST"; arc_save "$KEYRING"
if [ ! -s "$ARC_ROOT$KEYRING" ] || ! arc_trusted "$ARC_ROOT$KEYRING"; then
  command -v gpg >/dev/null || { arc_update_once && arc_apt install gnupg || arc_fail "gpg is missing and cannot be installed"; }
  mkdir -p "$ARC_ROOT\${KEYRING%/*}"
  new="$ARC_ROOT$KEYRING.arc-vllm-new"
  if command -v curl >/dev/null; then curl -fsSL --retry 3 "$KEY_URL" > "$new.asc"; else wget -qO- "$KEY_URL" > "$new.asc"; fi
  [ -s "$new.asc" ] || { rm -f "$new.asc"; arc_fail "$KEY_URL gave no key"; }
  gpg --yes --dearmor --output "$new" "$new.asc" || { rm -f "$new" "$new.asc"; arc_fail "$KEY_URL gave something that is no key"; }
  rm -f "$new.asc"
  if ! arc_trusted "$new"; then
    arc_remedy "The key at $KEY_URL has fingerprint $(arc_fingerprints "$new" | tr '\\n' ' '), wanted is $TRUSTED_KEYS. Do not go on before you know why"
    rm -f "$new"
    arc_fail "wrong key"
  fi
  chmod 0644 "$new" && mv -f "$new" "$ARC_ROOT$KEYRING" || exit 1
fi
arc_write "$CONTENT" "$ARC_ROOT$LIST" 0644 || exit 1
[ -n "$ARC_RUN_DIR" ] && rm -f "$ARC_RUN_DIR/apt-updated"
arc_update_once || { arc_restore "$LIST"; arc_fail "apt-get update failed with the new repository"; }
`;

import { type FactReader, keyValues, read } from "./fact-reader.ts";
import type { LoginFacts } from "./host-facts.ts";

/** Who we are on the host. Groups are those of this session: a new membership counts only after a new login. */
export const login: FactReader<LoginFacts> = {
  name: "login",
  script: `
if [ -n "$SUDO_USER" ]; then
  # We became root, but the login is asked for: the process that started sudo still has its groups.
  up=$PPID ids= groups=
  while IFS= read -r name < "/proc/$up/comm" && [ "$name" = sudo ]; do read -r _ _ _ up _ < "/proc/$up/stat"; done
  while read -r key value; do [ "$key" = Groups: ] && ids=$value; done < "/proc/$up/status"
  for id in $ids; do name=$(getent group "$id") && groups="$groups \${name%%:*}"; done
  echo "user=$SUDO_USER"
  echo "groups=\${groups:-$(id -Gn "$SUDO_USER")}"
  echo sudo=yes
  exit
fi
echo "user=$(id -un)"
echo "groups=$(id -Gn)"
if [ "$(id -u)" = 0 ]; then echo sudo=root
elif sudo -n true 2>/dev/null; then echo sudo=yes
else echo sudo=no; fi`,
  parse({ text }) {
    const fields = keyValues(text);
    const user = fields.get("user") || null;
    const groups = (fields.get("groups") ?? "").split(/\s+/).filter(Boolean);
    const sudo = fields.get("sudo");
    const canSudo = sudo === "root" || sudo === "yes" ? true : sudo === "no" ? false : null;
    const warnings = [
      ...(user === null ? ["Login user unknown: id gave no name"] : []),
      ...(canSudo === null ? ["Whether sudo works is unknown"] : []),
    ];
    const how = { root: "root", yes: "sudo without a password", no: "no sudo" }[sudo ?? ""] ?? "sudo unknown";
    return read({ user, groups, canSudo }, `${user ?? "?"} (${groups.join(" ")}), ${how}`, ...warnings);
  },
};

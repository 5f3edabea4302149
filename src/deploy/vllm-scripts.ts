import { FACT_FUNCTION } from "./fact-lines.ts";
import { otherOwner } from "./other-owner.ts";
import { CHECK_MODEL, CHECK_PORT } from "./preflight.ts";

/**
 * Where a server process has its log, process numbers and temporary files: under the user's own home, where nobody
 * else can put a file first, and not in XDG_RUNTIME_DIR, which goes away with the user's last login.
 */
const STATE = `
state="\${XDG_STATE_HOME:-\${HOME:?}/.local/state}/arc-vllm/\${SERVER_PORT:?}"
`;

/** Reads VENV (empty: PATH), MODEL, SERVER_PORT. Changes nothing. */
export const CHECK_HOST = `
${FACT_FUNCTION}
if [ -n "$VENV" ]; then vllm="$VENV/bin/vllm"; else vllm=$(command -v vllm); fi
if [ -n "$vllm" ] && [ -x "$vllm" ]; then fact vllm "$vllm"; fi
${CHECK_MODEL}
${CHECK_PORT}
`;

/**
 * Reads SERVER_PORT, SERVER_WORDS, ENV_WORDS, API_KEY, OWNER. The server gets a session of its own, so it outlives our
 * connection and is ended as a group. The shell in front of it writes down who it is before the server starts, and how
 * the server ended. PYTHONDONTWRITEBYTECODE would make every start compile all of Python's sources again.
 */
export const START_PROCESS = `
${STATE}
mkdir -p "$state/tmp" && chmod 700 "\${state%/*}" "$state" && printf '%s\\n' "$OWNER" > "$state/owner" || exit 1
mapfile -t words <<< "$SERVER_WORDS"
mapfile -t vars <<< "$ENV_WORDS"
if [ -n "$API_KEY" ]; then export VLLM_API_KEY="$API_KEY"; fi
ARC_VLLM_TOKEN=$(cat /proc/sys/kernel/random/uuid)
export ARC_VLLM_TOKEN
export -n API_KEY SERVER_WORDS ENV_WORDS SERVER_PORT OWNER
setsid bash --noprofile --norc -c '
  state=$0
  IFS= read -r stat < "/proc/$$/stat"
  read -r -a fields <<< "\${stat##*) }"
  IFS= read -r boot < /proc/sys/kernel/random/boot_id
  printf "%s %s %s %s\\n" "$$" "\${fields[19]}" "$boot" "$ARC_VLLM_TOKEN" > "$state/server.new" &&
    mv "$state/server.new" "$state/server" || exit 1
  "$@"
  echo "$?" > "$state/exit"
' "$state" env -u PYTHONDONTWRITEBYTECODE -u LC_ALL TMPDIR="$state/tmp" "\${vars[@]}" "\${words[@]}" \\
  > "$state/log" 2>&1 < /dev/null &
for try in {1..100}; do
  if [ -s "$state/server" ]; then exit 0; fi
  sleep 0.05
done
echo "the server process did not start" >&2
exit 1
`;

/** Fields of /proc/PID/stat after the command's name, which may hold spaces: state, parent, group, session, … */
const PROCESS_FIELDS = `
fields_of() {
  fields=()
  IFS= read -r stat 2>/dev/null < "/proc/$1/stat" || return 1
  read -r -a fields <<< "\${stat##*) }"
}
`;

/** Reads SERVER_PORT, LOG_LINES. */
export const OBSERVE_PROCESS = `
${FACT_FUNCTION}
${STATE}
${PROCESS_FIELDS}
if [ -f "$state/exit" ]; then
  read -r code < "$state/exit"
  fact state exited
  fact exit "$code"
elif read -r leader start boot token < "$state/server" && fields_of "$leader" && [ "\${fields[19]}" = "$start" ] && [ "\${fields[0]}" != Z ]; then
  fact state running
else
  fact state exited
fi
echo --
tail -n "$LOG_LINES" "$state/log"
exit 0
`;

/**
 * Reads SERVER_PORT, GRACE_S, KEEP_LOG, ONLY_OWNER (empty: whoever's). Ends the whole group, since vLLM's engine process outlives a killed API
 * process, and whatever else carries our mark in its environment, since workers may start sessions of their own.
 * A group whose leader is not the process that we started (a reboot, a number used again) is not ours.
 */
export const STOP_PROCESS = `
${FACT_FUNCTION}
${STATE}
${PROCESS_FIELDS}
if [ -d "/var/lib/arc-vllm/servers/$SERVER_PORT" ]; then fact container yes; fi
if [ -z "$ONLY_OWNER" ]; then rm -f "$state.log"; fi
# A folder without the file is a start under way, whose client may be gone: its server is about to be written down.
for try in {1..20}; do
  if ! [ -d "$state" ] || [ -f "$state/server" ]; then break; fi
  sleep 0.1
done
${otherOwner("$state")}
if ! [ -f "$state/server" ]; then
  rm -rf "$state"
  exit 0
fi
read -r leader start boot token < "$state/server"

own_group=no
IFS= read -r boot_now < /proc/sys/kernel/random/boot_id
if [ "$boot" = "$boot_now" ]; then
  own_group=yes
  if fields_of "$leader" && [ "\${fields[19]}" != "$start" ]; then own_group=no; fi
fi

find_members() {
  members=()
  local file pid
  if [ "$own_group" = yes ]; then
    for file in /proc/[0-9]*/stat; do
      pid=\${file#/proc/}
      pid=\${pid%/stat}
      if fields_of "$pid" && [ "\${fields[2]}" = "$leader" ] && [ "\${fields[0]}" != Z ]; then members+=("$pid"); fi
    done
  fi
  while IFS= read -r file; do
    pid=\${file#/proc/}
    members+=("\${pid%/environ}")
  done < <(grep -lszxF -- "ARC_VLLM_TOKEN=$token" /proc/[0-9]*/environ)
}

find_members
if ((\${#members[@]})); then
  fact ended "process group $leader"
  kill -TERM "\${members[@]}" 2>/dev/null
  deadline=$((SECONDS + GRACE_S))
  while find_members; ((\${#members[@]})) && ((SECONDS < deadline)); do sleep 0.2; done
  for try in {1..50}; do
    if ! ((\${#members[@]})); then break; fi
    kill -KILL "\${members[@]}" 2>/dev/null
    sleep 0.1
    find_members
  done
fi
if ((\${#members[@]})); then
  fact left "process \${members[*]}"
  exit 0
fi
if [ "$KEEP_LOG" = yes ] && [ -f "$state/log" ]; then
  mv "$state/log" "$state.log" && fact log "$state.log"
fi
rm -rf "$state"
rmdir "\${state%/*}" 2>/dev/null
exit 0
`;

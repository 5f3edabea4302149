import { FACT_FUNCTION } from "./fact-lines.ts";
import { otherOwner } from "./other-owner.ts";
import { CHECK_MODEL, CHECK_PORT } from "./preflight.ts";

// Plain bash without traps, job control or umask: these also run in the embedded host's interpreter.

/** Reads IMAGE, MODEL, SERVER_PORT. Changes nothing. */
export const CHECK_HOST = `
${FACT_FUNCTION}
if ! command -v docker >/dev/null; then fact docker-missing yes
elif ! docker_version=$(docker version --format '{{.Server.Version}}' 2>&1); then fact docker-error "$docker_version"
else
  fact docker "$docker_version"
  if digests=$(docker image inspect --format '{{json .RepoDigests}}' "$IMAGE" 2>/dev/null); then fact image "$digests"; fi
fi
for node in /dev/dri/renderD*; do
  if [ -e "$node" ]; then fact render-node "$node"; fi
done
if [ -d /dev/dri/by-path ]; then fact by-path yes; fi
${CHECK_MODEL}
${CHECK_PORT}
`;

/** Reads IMAGE. Prints docker's own progress lines, then the digests. */
export const PULL_IMAGE = `
${FACT_FUNCTION}
docker pull "$IMAGE" || exit 1
digests=$(docker image inspect --format '{{json .RepoDigests}}' "$IMAGE") || exit 1
fact image "$digests"
`;

/**
 * Reads SERVER_PORT, DOCKER_WORDS, API_KEY, OWNER, SURVIVES_REBOOT. The unit holds no value from outside but the port: all
 * that is special about this server is in the container that it starts. A server that is to survive a reboot is also
 * started again when it crashed, or when it was started before the cards had their device nodes; any other lies in /run,
 * so that a reboot ends it.
 */
export const START_CONTAINER = `
${FACT_FUNCTION}
name="arc-vllm-$SERVER_PORT"
folder="/var/lib/arc-vllm/servers/$SERVER_PORT"
export -n API_KEY
rm -f "$folder.log"
mkdir -p "$folder" && chmod 755 /var/lib/arc-vllm && chmod 700 "$folder" || exit 1
printf '%s\\n' "$OWNER" > "$folder/owner" || exit 1
if [ -n "$API_KEY" ]; then
  printf '' > "$folder/api-key" && chmod 600 "$folder/api-key" && printf '%s\\n' "$API_KEY" > "$folder/api-key" || exit 1
fi
mapfile -t words <<< "$DOCKER_WORDS"
docker create "\${words[@]}" >/dev/null || exit 1
# Whoever stopped us while docker was creating found no container, but took the folder away.
if ! [ -f "$folder/owner" ]; then
  docker rm --force --volumes "$name" >/dev/null
  echo "the server was stopped while it started" >&2
  exit 1
fi
if [ -d /run/systemd/system ]; then
  fact supervisor systemd
  docker_path=$(command -v docker)
  units=/run/systemd/system
  restart=no
  if [ "$SURVIVES_REBOOT" = yes ]; then
    units=/etc/systemd/system
    restart=on-failure
  fi
  cat > "$units/$name.service" <<UNIT || exit 1
[Unit]
Description=vLLM server on port $SERVER_PORT, started by arc-vllm
Wants=docker.service
After=docker.service

[Service]
Type=simple
ExecStart=$docker_path start --attach $name
ExecStop=$docker_path stop -t 20 $name
TimeoutStopSec=40
Restart=$restart
RestartSec=10
SuccessExitStatus=143

[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload || exit 1
  if [ "$SURVIVES_REBOOT" = yes ]; then systemctl enable --quiet "$name.service" || exit 1; fi
  systemctl start "$name.service"
else
  fact supervisor docker
  if [ "$SURVIVES_REBOOT" = yes ]; then docker update --restart unless-stopped "$name" >/dev/null || exit 1; fi
  docker start "$name" >/dev/null
fi
`;

/** Reads SERVER_PORT, LOG_LINES. A container that was never started counts as exited once its unit has ended. */
export const OBSERVE_CONTAINER = `
${FACT_FUNCTION}
name="arc-vllm-$SERVER_PORT"
state=$(docker container inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$name" 2>&1) || {
  fact state gone
  fact error "$state"
  exit 0
}
fact state "$state"
fact error "$(docker container inspect --format '{{.State.Error}}' "$name" 2>/dev/null)"
if [ -e "/run/systemd/system/$name.service" ] || [ -e "/etc/systemd/system/$name.service" ]; then
  fact unit "$(systemctl is-active "$name.service" 2>/dev/null)"
fi
echo --
docker logs --tail "$LOG_LINES" "$name" 2>&1
exit 0
`;

/** Reads SERVER_PORT, GRACE_S, KEEP_LOG, ONLY_OWNER (empty: whoever's). Does nothing when there is nothing. */
export const STOP_CONTAINER = `
${FACT_FUNCTION}
name="arc-vllm-\${SERVER_PORT:?}"
folder="/var/lib/arc-vllm/servers/\${SERVER_PORT:?}"
${otherOwner("$folder")}
if docker container inspect "$name" >/dev/null 2>&1; then
  fact ended "container $name"
  if [ "$KEEP_LOG" = yes ]; then
    docker logs --tail 5000 "$name" > "$folder.log" 2>&1 && chmod 600 "$folder.log" && fact log "$folder.log"
  fi
  docker stop -t "$GRACE_S" "$name" >/dev/null 2>&1
fi
for unit in "/run/systemd/system/$name.service" "/etc/systemd/system/$name.service"; do
  if ! [ -e "$unit" ]; then continue; fi
  fact ended "unit $name.service"
  systemctl stop "$name.service"
  systemctl disable --quiet "$name.service"
  rm -f "$unit"
  systemctl daemon-reload
  systemctl reset-failed "$name.service" 2>/dev/null
done
docker rm --force --volumes "$name" >/dev/null 2>&1
if docker container inspect "$name" >/dev/null 2>&1; then
  fact left "container $name"
  exit 0
fi
rm -rf "$folder"
rmdir /var/lib/arc-vllm/servers /var/lib/arc-vllm 2>/dev/null
exit 0
`;

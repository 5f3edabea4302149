import { randomUUID } from "node:crypto";
import type { Script } from "../core/script.ts";
import type { Shell } from "../ports/shell.ts";
import { STOP_CONTAINER } from "./ipex-llm-scripts.ts";
import { STOP_PROCESS } from "./vllm-scripts.ts";

export interface ServerGuard {
  /** Marks the server that this guard watches: hand it to the start. */
  readonly owner: string;
  /** Lets go. Call it after the server was stopped. */
  release(): Promise<void>;
}

/**
 * A dead man's switch on the host: when we vanish without a word (killed, power cut, network gone) the server on the port
 * is stopped from there. Start it before the server. A guard that cannot run leaves the server as it would be without one.
 */
export function guardServer(shell: Shell, port: number, engine: "ipex-llm" | "vllm"): ServerGuard {
  const owner = randomUUID();
  const released = new AbortController();
  const script: Script = {
    name: `guard the server on port ${port}`,
    text: GUARD,
    env: {
      SERVER_PORT: String(port),
      GRACE_S: "5",
      KEEP_LOG: "no",
      ONLY_OWNER: owner,
      STOP_TEXT: engine === "ipex-llm" ? STOP_CONTAINER : STOP_PROCESS,
    },
    sudo: engine === "ipex-llm",
  };
  const ended = shell.run(script, { timeoutMs: GUARD_MS, signal: released.signal }).then(
    () => {},
    () => {},
  );
  return {
    owner,
    async release() {
      released.abort();
      await ended;
    },
  };
}

/** No run lasts longer; a guard has to have some limit. */
const GUARD_MS = 7 * 24 * 3_600_000;

/**
 * The shell's own watchdog sends TERM to this script's session when it loses us; the stopping itself then goes on in a
 * session of its own, which that watchdog does not touch. An ordinary end comes here too and finds nothing of its owner.
 * Several times, because a start that was under way when we vanished may only then begin.
 */
const GUARD = `
stop() {
  setsid bash --noprofile --norc -c '
    for try in {1..5}; do
      if bash --noprofile --norc -c "$STOP_TEXT" | grep -q ^ended=; then break; fi
      sleep 2
    done
  ' < /dev/null > /dev/null 2>&1 &
  exit 0
}
trap stop TERM HUP INT
while :; do
  sleep 60 &
  wait "$!"
done
`;

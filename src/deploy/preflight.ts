import type { IpexLlmServe, VllmServe } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { FactLines } from "./fact-lines.ts";

/** The model folder: there with a config.json, or what is beside it. Reads MODEL. */
export const CHECK_MODEL = `
model_parent=$(dirname -- "$MODEL")
if [ -f "$MODEL/config.json" ]; then fact model ok
elif [ -d "$MODEL" ]; then fact model no-config
else
  fact model missing
  ls -1 -- "$model_parent" 2>/dev/null | head -n 20 | while IFS= read -r near; do fact model-near "$near"; done
fi
`;

/** Who listens on the port, one line of \`ss\` each (with the process when we may see it). Reads SERVER_PORT. */
export const CHECK_PORT = `
if command -v ss >/dev/null; then
  ss -H -ltnp "sport = :$SERVER_PORT" | while IFS= read -r socket; do fact listener "$socket"; done
fi
`;

/** Throws MODEL_NOT_FOUND when the host has no such model folder, naming what is beside it. */
export function requireModel(host: string, serve: IpexLlmServe | VllmServe, facts: FactLines): void {
  const state = facts.first("model");
  if (state === "ok") return;
  const near = facts.all("model-near");
  const beside = near.length === 0 ? "its parent folder is empty or missing" : `beside it are ${near.join(", ")}`;
  throw new AppError("MODEL_NOT_FOUND", {
    message:
      state === "no-config"
        ? `Cannot serve model "${serve.model}" on host "${host}": the folder has no config.json, a Hugging Face model folder is wanted`
        : `Cannot serve model "${serve.model}" on host "${host}": there is no such folder, ${beside}`,
    hint: 'Set "serve.model" to the folder of the model on the host, or download the model there',
  });
}

/** Throws PORT_IN_USE when another process already listens where the server wants to, naming it if it can be seen. */
export function requireFreePort(host: string, serve: IpexLlmServe | VllmServe, facts: FactLines): void {
  const taken = facts.all("listener").find((line) => listensAt(line, serve.bind));
  if (taken === undefined) return;
  throw portInUse(host, serve.port, processOf(taken));
}

/** PORT_IN_USE for a process that is known by name and number, or not at all. */
export function portInUse(host: string, port: number, process: string | null): AppError {
  const who = process === null ? "another process listens there" : `${process} listens there`;
  return new AppError("PORT_IN_USE", {
    message: `Cannot serve on port ${port} of host "${host}": ${who}, a free port is wanted`,
    hint: 'Stop that process, or set "serve.port" to a free port',
  });
}

/** `LISTEN 0 128 0.0.0.0:8000 0.0.0.0:* users:(("python",pid=123,fd=7))` against the address we want. */
function listensAt(ssLine: string, bind: string): boolean {
  const address = ssLine
    .split(/\s+/)[3]
    ?.replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .replace(/%.*$/, "");
  const anyAddress = ["0.0.0.0", "*", "::"];
  return address !== undefined && (address === bind || anyAddress.includes(address) || anyAddress.includes(bind));
}

function processOf(ssLine: string): string | null {
  const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(ssLine);
  return match === null ? null : `process "${match[1]}" (pid ${match[2]})`;
}

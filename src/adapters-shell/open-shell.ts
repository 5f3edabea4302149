import type { HostSpec } from "../config/run-config.ts";
import type { Clock } from "../ports/clock.ts";
import type { Shell } from "../ports/shell.ts";
import { openLocalShell } from "./local-shell.ts";
import { openOpensshShell } from "./openssh-shell.ts";
import { openSshShell } from "./ssh-shell.ts";

/** Opens the shell that a host's specification asks for. Throws an AppError when the host cannot be reached. */
export async function openShell(host: HostSpec, clock: Clock): Promise<Shell> {
  if (host.connection === "local") return openLocalShell(host, clock);
  return host.transport === "openssh" ? openOpensshShell(host, clock) : openSshShell(host, clock);
}

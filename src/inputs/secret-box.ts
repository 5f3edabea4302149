import { Secret } from "../core/secret.ts";
import type { RunOptions } from "./run-options.ts";

/** Where secrets of a run come from, and what was asked for in vain. */
export interface SecretBox {
  readonly sshPrivateKey: Secret | null;
  readonly sshPassphrase: Secret | null;
  readonly apiKey: Secret | null;
  /** The secret in an environment variable; a missing one is noted, so that all of them are reported at once. */
  named(variable: string, askedBy: string): Secret;
  agentSocket(hostName: string, isAskedFor: boolean): string;
  readonly missing: readonly string[];
}

/** Reads secrets through `lookUp`; those given as options win over the variables with our own names. */
export function openSecretBox(lookUp: (name: string) => string | undefined, options: RunOptions): SecretBox {
  const missing: string[] = [];
  const read = (variable: string) => {
    const value = lookUp(variable);
    return value === undefined || value.trim() === "" ? null : new Secret(value);
  };
  return {
    sshPrivateKey: options["ssh-private-key"] ?? read("ARC_VLLM_SSH_PRIVATE_KEY"),
    sshPassphrase: options["ssh-passphrase"] ?? read("ARC_VLLM_SSH_PASSPHRASE"),
    apiKey: options["api-key"] ?? read("ARC_VLLM_API_KEY"),
    missing,
    named(variable, askedBy) {
      const found = read(variable);
      if (found === null) missing.push(`${variable}: not set or empty, asked for by ${askedBy}`);
      return found ?? new Secret("");
    },
    agentSocket(hostName, isAskedFor) {
      const socket = lookUp("SSH_AUTH_SOCK") ?? "";
      if (socket === "") {
        missing.push(
          isAskedFor
            ? `SSH_AUTH_SOCK: not set, asked for by "agent: true" of host "${hostName}"`
            : `ARC_VLLM_SSH_PRIVATE_KEY: not set or empty, host "${hostName}" names no key of its own and there is no SSH agent`,
        );
      }
      return socket;
    },
  };
}

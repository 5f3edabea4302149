import { z } from "zod";
import { choice, duration, flag, integer, line, plainName, text, variableName } from "./field-kinds.ts";

const ADDRESS = /^[A-Za-z0-9:][A-Za-z0-9.:%_-]{0,252}$/;
const USER = /^[A-Za-z_][A-Za-z0-9._-]{0,62}\$?$/;
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}=?$/;

const fingerprintWanted =
  'a fingerprint such as "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s" (43 characters), or a list of them';
const fingerprint = z.string({ error: fingerprintWanted }).regex(FINGERPRINT, { error: fingerprintWanted });

const name = plainName({
  description:
    "Name of the host in logs, records and reports. Records leave your network: it need not be the host name.",
  example: "a770-lab-1",
});

const lockTimeout = duration(0, 86_400_000, {
  description:
    "How long to wait when another run has the host. Without it `run` waits 30 s, which is enough for one that was killed, and `provision` and `undo` do not wait.",
  example: "30m",
}).optional();

export const sshHostSchema = z.strictObject({
  name,
  connection: z.literal("ssh").default("ssh").describe("How to reach the host."),
  address: text(ADDRESS, "a host name or an IP address", {
    description: "Host name or IP address of the host; the model server is reached there too.",
    example: "10.0.0.5",
  }),
  port: integer(1, 65_535, { description: "Port of the SSH server." }).default(22),
  user: text(USER, "a login name", {
    description: "Login name. Provisioning needs `sudo` without a password for it.",
    example: "ci",
  }),
  "host-key": z
    .union([fingerprint, z.array(fingerprint, { error: fingerprintWanted }).min(1, { error: fingerprintWanted })], {
      error: fingerprintWanted,
    })
    .optional()
    .meta({
      title: "text or list",
      description:
        "SHA-256 fingerprints of host keys to accept, as `ssh-keygen -lf` prints them. Any one of them is enough.",
      examples: ["SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s"],
    }),
  "known-hosts": text(
    /\S+\s+(?:\S+\s+)?[A-Za-z0-9+/]{20,}/,
    "lines of a known_hosts file (name, key type, key), not its path",
    { description: "Lines in the format of OpenSSH's `known_hosts`, instead of `host-key`." },
  ).optional(),
  "private-key-env": variableName({
    description:
      "Environment variable that holds the private key. Without it: the Action's `ssh-private-key`, then `ARC_VLLM_SSH_PRIVATE_KEY`, then the SSH agent.",
    example: "A770_SSH_KEY",
  }).optional(),
  "passphrase-env": variableName({
    description: "Environment variable that holds the passphrase of the private key.",
    example: "A770_SSH_PASSPHRASE",
  }).optional(),
  agent: flag({ description: "Log in through the SSH agent at `SSH_AUTH_SOCK` and use no key." }).default(false),
  transport: choice(["ssh2", "openssh"], {
    description:
      "`ssh2` is built in. `openssh` is the `ssh` client of this machine, for `ssh_config`, jump hosts and certificates.",
  }).default("ssh2"),
  "ssh-config": line("the path of an ssh_config file", {
    description:
      "An `ssh_config` file that transport `openssh` reads. Unless a key or the agent is named here, the file says how to log in.",
    example: "lab/ssh_config",
  }).optional(),
  "connect-timeout": duration(100, 600_000, {
    description: "How long one attempt to connect may take.",
    example: "20s",
  }).prefault("20s"),
  "lock-timeout": lockTimeout,
});

export const localHostSchema = z.strictObject({
  name,
  connection: z.literal("local").describe("Run on this machine, without SSH."),
  address: text(ADDRESS, "a host name or an IP address", {
    description: "Address under which the model server is reached from here.",
  }).default("127.0.0.1"),
  "lock-timeout": lockTimeout,
});

export const hostsSchema = z
  .array(z.discriminatedUnion("connection", [sshHostSchema, localHostSchema]))
  .max(64, { error: "at most 64 hosts; use a job matrix for more" })
  .describe(
    "The machines to check, provision and measure. All commands work on several of them at once; `run` measures one at a time.",
  );

export type HostEntry = z.output<typeof hostsSchema>[number];
export type SshHostEntry = z.output<typeof sshHostSchema>;

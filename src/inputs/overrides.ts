import { wantedWords } from "../config/config-problem.ts";
import type { ConfigFile } from "../config/config-schema.ts";
import type { HostEntry } from "../config/hosts-schema.ts";
import { localHostSchema, sshHostSchema } from "../config/hosts-schema.ts";
import { nearestWord } from "../config/nearest-word.ts";
import { showValue } from "../core/show-value.ts";
import { optionsInvalid } from "./option-table.ts";
import type { Overrides, RunOptions } from "./run-options.ts";

/**
 * Puts the options of the Action or the command line over the file: here the three meet. Throws INPUT_INVALID when an
 * option cannot be used with the rest.
 */
export function applyOverrides(config: ConfigFile, { options, label }: Overrides): ConfigFile {
  const problems: string[] = [];
  const hosts = chooseHosts(config.hosts, options, label, problems)
    .map((host) => withTrust(host, options))
    .map((host) => withLockTimeout(host, options));
  const playbook = withTags(options.playbook ?? config.playbook, options, label, problems);
  const workloads = pick(config.workloads, options.workloads, label("workloads"), problems);
  if (problems.length > 0) throw optionsInvalid(problems);
  return {
    ...config,
    hosts,
    workloads,
    ...(playbook !== undefined && { playbook }),
    gate: withGate(config.gate, options),
    ...(options["report-dir"] !== undefined && { report: { dir: options["report-dir"] } }),
  };
}

type Label = Overrides["label"];

function chooseHosts(
  fromFile: readonly HostEntry[],
  options: RunOptions,
  label: Label,
  problems: string[],
): HostEntry[] {
  if (options.host !== undefined && options.local === true) {
    problems.push(`${label("local")}: found beside ${label("host")}, wanted one of the two`);
    return [];
  }
  if (options.local === true) return [localHostSchema.parse({ name: "localhost", connection: "local" })];
  if (options.host !== undefined) return oneHost(options, label, problems);
  for (const name of ["user", "port"] as const) {
    if (options[name] !== undefined) problems.push(`${label(name)}: found without ${label("host")}, wanted both`);
  }
  return pick(fromFile, options.hosts, label("hosts"), problems);
}

/** `user@address:port`, `[v6]:port` and every part by its own option. */
function oneHost(options: RunOptions, label: Label, problems: string[]): HostEntry[] {
  const match = /^(?:([^@]*)@)?(?:\[([^\]]+)\]|([^:]+|[^:]*:[^:]*:.*?))(?::(\d+))?$/.exec(options.host ?? "");
  const [, user, bracketed, plain, port] = match ?? [];
  const address = bracketed ?? plain;
  const parsed = sshHostSchema.safeParse(
    {
      name: address?.replace(/[^A-Za-z0-9._-]/g, "-"),
      address,
      user: options.user ?? user,
      ...((options.port ?? port) !== undefined && { port: options.port ?? Number(port) }),
    },
    { error: wantedWords },
  );
  if (parsed.success) return [parsed.data];
  const fields = [...new Set(parsed.error.issues.map(({ path }) => String(path[0])))].filter(
    (field) => field !== "name",
  );
  const missingUser = fields.includes("user") && options.user === undefined && user === undefined;
  const wanted = missingUser
    ? `found ${showValue(options.host)}, wanted user@address (or ${label("user")} beside it)`
    : `found ${showValue(options.host)}, wanted user@address or user@address:port`;
  problems.push(`${label("host")}: ${wanted}`);
  return [];
}

/** The options say which key to trust only for hosts about which the file says nothing. */
function withTrust(host: HostEntry, options: RunOptions): HostEntry {
  if (host.connection === "local" || host["host-key"] !== undefined || host["known-hosts"] !== undefined) return host;
  if (options["host-key"] !== undefined) return { ...host, "host-key": [...options["host-key"]] };
  return options["known-hosts"] === undefined ? host : { ...host, "known-hosts": options["known-hosts"] };
}

function withTags(
  playbook: ConfigFile["playbook"],
  { tags, "skip-tags": skipTags }: RunOptions,
  label: Label,
  problems: string[],
): ConfigFile["playbook"] {
  if (tags === undefined && skipTags === undefined) return playbook;
  if (playbook === undefined) {
    const name = label(tags === undefined ? "skip-tags" : "tags");
    problems.push(`${name}: found without a playbook, wanted ${label("playbook")} or "playbook" in the file`);
    return undefined;
  }
  const map = typeof playbook === "string" ? { name: playbook, vars: {} } : playbook;
  return {
    ...map,
    ...(tags !== undefined && { tags: [...tags] }),
    ...(skipTags !== undefined && { "skip-tags": [...skipTags] }),
  };
}

function withLockTimeout(host: HostEntry, { "lock-timeout": lockTimeout }: RunOptions): HostEntry {
  return lockTimeout === undefined ? host : { ...host, "lock-timeout": lockTimeout };
}

function withGate(gate: ConfigFile["gate"], options: RunOptions): ConfigFile["gate"] {
  return {
    ...gate,
    ...(options.mode !== undefined && { mode: options.mode }),
    ...(options.baseline !== undefined && { baseline: options.baseline }),
    ...(options["on-inconclusive"] !== undefined && { "on-inconclusive": options["on-inconclusive"] }),
    ...(options["require-comparison"] !== undefined && { "require-comparison": options["require-comparison"] }),
    ...(options["allow-imported"] !== undefined && { "allow-imported": options["allow-imported"] }),
  };
}

function pick<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
  wanted: readonly string[] | undefined,
  label: string,
  problems: string[],
): Entry[] {
  if (wanted === undefined) return [...entries];
  const known = entries.map(({ name }) => name);
  for (const name of wanted.filter((name) => !known.includes(name))) {
    const near = nearestWord(name, known);
    const say =
      near === null ? `wanted one of ${known.join(", ") || "none, the file has none"}` : `did you mean "${near}"?`;
    problems.push(`${label}: ${showValue(name)} is not in the file, ${say}`);
  }
  return entries.filter(({ name }) => wanted.includes(name));
}

import type { ConfigFile } from "../config/config-schema.ts";
import { configWarnings } from "../config/config-warnings.ts";
import type { GateEntry } from "../config/gate-schema.ts";
import { DEFAULT_RULES, GATED_BY_DEFAULT } from "../config/gate-schema.ts";
import type { HostEntry, SshHostEntry } from "../config/hosts-schema.ts";
import { inputProblems } from "../config/input-problems.ts";
import type {
  GateRule,
  GateSpec,
  HostLogin,
  HostSpec,
  HostTrust,
  MetricName,
  RunConfig,
  ServeSpec,
} from "../config/run-config.ts";
import type { ServeEntry } from "../config/serve-schema.ts";
import { workloadOf } from "../config/workload-of.ts";
import { AppError } from "../core/app-error.ts";
import type { Secret } from "../core/secret.ts";
import { CERTIFICATE_SECONDS } from "./certificate-seconds.ts";
import type { SecretBox } from "./secret-box.ts";

/** Turns a checked configuration into what a run needs: secrets looked up, defaults that depend on other fields filled in. */
export function buildRunConfig(file: ConfigFile, configPath: string | null, secrets: SecretBox): RunConfig {
  const withoutTrust = file.hosts.filter((host) => host.connection === "ssh" && trustOf(host) === null);
  if (withoutTrust.length > 0) throw hostKeyMissing(withoutTrust as SshHostEntry[], configPath);
  const config: RunConfig = {
    configPath,
    hosts: file.hosts.map((host) => hostSpec(host, secrets)),
    playbook: playbookRef(file.playbook),
    serve: file.serve === undefined ? null : serveSpec(file.serve, file.hosts, secrets),
    workloads: file.workloads.map(workloadOf),
    gate: gateSpec(file.gate),
    history: file.history ?? null,
    report: file.report,
    certificateSeconds: CERTIFICATE_SECONDS,
    warnings: configWarnings(file),
  };
  if (secrets.missing.length > 0) {
    const hint = "Set the variables above in the environment of this step; runs of forks and Dependabot get no secrets";
    throw inputProblems("the secrets of this run", secrets.missing, hint, "SECRET_MISSING");
  }
  return config;
}

export function gateSpec(gate: GateEntry): GateSpec {
  return {
    mode: gate.mode,
    baseline: gate.baseline ?? null,
    onInconclusive: gate["on-inconclusive"],
    requireComparison: gate["require-comparison"],
    allowImported: gate["allow-imported"],
    rules: gateRules(gate.metrics),
    minSuccessRatio: gate["min-success-ratio"],
  };
}

function hostSpec(host: HostEntry, secrets: SecretBox): HostSpec {
  const lockTimeoutMs = host["lock-timeout"];
  const lock = lockTimeoutMs === undefined ? {} : { lockTimeoutMs };
  if (host.connection === "local") return { connection: "local", name: host.name, address: host.address, ...lock };
  return {
    connection: "ssh",
    name: host.name,
    address: host.address,
    port: host.port,
    user: host.user,
    trust: trustOf(host) ?? { kind: "fingerprints", sha256: [] },
    login: loginOf(host, secrets),
    connectTimeoutMs: host["connect-timeout"],
    ...lock,
    transport: host.transport,
    ...(host["ssh-config"] !== undefined && { sshConfigPath: host["ssh-config"] }),
  };
}

function trustOf(host: SshHostEntry): HostTrust | null {
  const keys = host["host-key"];
  if (keys !== undefined) return { kind: "fingerprints", sha256: typeof keys === "string" ? [keys] : keys };
  const text = host["known-hosts"];
  return text === undefined ? null : { kind: "known-hosts", text };
}

/** The most explicit way wins: the host's own variable, its agent, its ssh_config, then what the run brings along. */
function loginOf(host: SshHostEntry, secrets: SecretBox): HostLogin {
  const name = host["private-key-env"];
  const passphraseName = host["passphrase-env"];
  const passphrase =
    passphraseName === undefined
      ? secrets.sshPassphrase
      : secrets.named(passphraseName, `passphrase-env of host "${host.name}"`);
  if (name !== undefined) {
    return { kind: "private-key", key: secrets.named(name, `private-key-env of host "${host.name}"`), passphrase };
  }
  if (!host.agent && host["ssh-config"] !== undefined) return { kind: "ssh-config" };
  if (!host.agent && secrets.sshPrivateKey !== null) {
    return { kind: "private-key", key: secrets.sshPrivateKey, passphrase };
  }
  return { kind: "agent", socket: secrets.agentSocket(host.name, host.agent) };
}

export function playbookRef(written: ConfigFile["playbook"]): RunConfig["playbook"] {
  if (written === undefined) return null;
  if (typeof written === "string") return { name: written, vars: {} };
  const { name, vars, tags, "skip-tags": skipTags } = written;
  return { name, vars, ...(tags !== undefined && { tags }), ...(skipTags !== undefined && { skipTags }) };
}

function serveSpec(serve: ServeEntry, hosts: readonly HostEntry[], secrets: SecretBox): ServeSpec {
  const common = {
    readyTimeoutMs: serve["ready-timeout"],
    apiKey: apiKeyOf(serve, secrets),
    ...(serve.through !== "auto" && { through: serve.through }),
  };
  if (serve.engine === "url") {
    const baseUrl = serve["base-url"].replace(/\/+$/, "").replace(/\/v1$/, "");
    const caFile = serve["ca-file"];
    return {
      ...{ engine: "url", baseUrl, servedModelName: serve["served-model-name"], ...common },
      ...(caFile !== undefined && { caFile }),
    };
  }
  const started = {
    ...common,
    model: serve.model,
    servedModelName: serve["served-model-name"] ?? lastPart(serve.model),
    port: serve.port,
    bind: serve.bind ?? (isForThatHostOnly(serve, hosts) ? "127.0.0.1" : "0.0.0.0"),
    flags: serve.flags,
    env: serve.env,
    cards: serve.cards ?? null,
  };
  if (serve.engine === "vllm") return { engine: "vllm", ...started, venv: serve.venv ?? null };
  const limit = serve["memory-limit-gib"];
  return {
    engine: "ipex-llm",
    ...started,
    image: serve.image,
    shmSizeGib: serve["shm-size-gib"],
    ...(limit !== undefined && { memoryLimitGib: limit }),
    privileged: serve.privileged,
    pull: serve.pull,
  };
}

/** Whoever is on the host already, or comes through its SSH connection, needs no port on the network. */
function isForThatHostOnly({ through }: ServeEntry, hosts: readonly HostEntry[]): boolean {
  return through === "ssh" || hosts.every(({ connection }) => connection === "local");
}

function apiKeyOf(serve: ServeEntry, secrets: SecretBox): Secret | null {
  const name = serve["api-key-env"];
  return name === undefined ? secrets.apiKey : secrets.named(name, "serve.api-key-env");
}

function lastPart(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? path;
}

function gateRules(metrics: GateEntry["metrics"]): GateRule[] {
  if (metrics === undefined) return GATED_BY_DEFAULT.map((metric) => DEFAULT_RULES[metric]);
  return (Object.entries(metrics) as [MetricName, NonNullable<GateEntry["metrics"]>[MetricName]][]).map(
    ([metric, rule]) => {
      const usual = DEFAULT_RULES[metric];
      const deltaPct = rule?.["delta-pct"] ?? Math.min(usual.deltaPct, rule?.["budget-pct"] ?? usual.deltaPct);
      return {
        metric,
        deltaPct,
        budgetPct: rule?.["budget-pct"] ?? Math.max(usual.budgetPct, deltaPct),
        floor: rule?.floor ?? usual.floor,
      };
    },
  );
}

function hostKeyMissing(hosts: readonly SshHostEntry[], configPath: string | null): AppError {
  const names = hosts.map(({ name }) => `"${name}"`).join(", ");
  const where = configPath === null ? "" : ` of "${configPath}"`;
  const address = hosts[0]?.address ?? "the host";
  return new AppError("HOST_KEY_MISSING", {
    message: `Cannot trust host ${names}${where}: no host key is given, "host-key" or "known-hosts" is wanted`,
    hint: `On the console of ${address} run "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" and set host-key to its SHA256:… word`,
  });
}

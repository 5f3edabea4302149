import type { Secret } from "../core/secret.ts";

/** Everything a run needs, checked as a whole before any host is touched. */
export interface RunConfig {
  /** Path of the configuration file as the user gave it, for messages and JUnit `file=`; null when there is none. */
  readonly configPath: string | null;
  readonly hosts: readonly HostSpec[];
  /** Null: hosts are left as they are. */
  readonly playbook: PlaybookRef | null;
  readonly serve: ServeSpec | null;
  readonly workloads: readonly Workload[];
  readonly gate: GateSpec;
  readonly history: HistorySpec | null;
  readonly report: ReportSpec;
  /** How long this client is checked before it measures; 0: not at all. */
  readonly certificateSeconds: number;
  /** Doubtful but allowed, in words, for the log and the report. */
  readonly warnings: readonly string[];
}

export type HostSpec = SshHostSpec | LocalHostSpec;

export interface LocalHostSpec {
  readonly connection: "local";
  readonly name: string;
  /** Address under which the model server is reached from here. */
  readonly address: string;
  /** How long to wait for another run on the host; absent: as the command thinks fit. */
  readonly lockTimeoutMs?: number;
}

export interface SshHostSpec {
  readonly connection: "ssh";
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly trust: HostTrust;
  readonly login: HostLogin;
  readonly connectTimeoutMs: number;
  /** How long to wait for another run on the host; absent: as the command thinks fit. */
  readonly lockTimeoutMs?: number;
  /** "ssh2" (absent) needs nothing installed; "openssh" is the ssh client, for ssh_config, ProxyJump and certificates. */
  readonly transport?: "ssh2" | "openssh";
  /** An ssh_config file that the "openssh" transport reads after our own settings; absent: none, not even the user's. */
  readonly sshConfigPath?: string;
}

/** Which host key to accept. There is no way to accept any key. */
export type HostTrust =
  | { readonly kind: "fingerprints"; readonly sha256: readonly string[] }
  | { readonly kind: "known-hosts"; readonly text: string };

export type HostLogin =
  | { readonly kind: "private-key"; readonly key: Secret; readonly passphrase: Secret | null }
  | { readonly kind: "agent"; readonly socket: string }
  /** Whatever the ssh_config file says (IdentityFile, CertificateFile, IdentityAgent); "openssh" only. */
  | { readonly kind: "ssh-config" };

export interface PlaybookRef {
  /** A name in playbooks/ or a path that ends in .yml or .yaml. */
  readonly name: string;
  readonly vars: Readonly<Record<string, string>>;
  /** Only steps with one of these tags; absent: all steps. */
  readonly tags?: readonly string[];
  /** No steps with one of these tags. */
  readonly skipTags?: readonly string[];
}

export type ServeSpec = IpexLlmServe | VllmServe | UrlServe;

interface ServeCommon {
  readonly servedModelName: string;
  readonly readyTimeoutMs: number;
  /** Sent with every request; the server gets it too where it has a flag for it. */
  readonly apiKey: Secret | null;
  /** How requests reach the server; absent: "auto", directly, or through the SSH connection when that is the only way. */
  readonly through?: "auto" | "direct" | "ssh";
}

interface ServeProcess extends ServeCommon {
  /** Folder of the model on the host. */
  readonly model: string;
  readonly port: number;
  /** Address the server listens on. */
  readonly bind: string;
  /** Engine flags without dashes, in the engine's own spelling, checked against its dialect. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  readonly env: Readonly<Record<string, string>>;
  /** Cards the server may use, as Level Zero indexes (ZE_AFFINITY_MASK); null: all. */
  readonly cards: readonly number[] | null;
}

export type FlagValue = string | number | boolean;

/** The ipex-llm serving image under docker and systemd: the A-series path (facts: vLLM 0.8.3 fork). */
export interface IpexLlmServe extends ServeProcess {
  readonly engine: "ipex-llm";
  /** Image with tag or digest. */
  readonly image: string;
  readonly shmSizeGib: number;
  /** Host memory the container may use; absent: no limit. */
  readonly memoryLimitGib?: number;
  /** Give the container all rights on the host, as Intel's guides do; absent: true. False: the cards' device nodes only. */
  readonly privileged?: boolean;
  readonly pull: "missing" | "never";
}

/** `vllm serve` from a virtual environment or PATH on the host. */
export interface VllmServe extends ServeProcess {
  readonly engine: "vllm";
  /** Folder of a Python virtual environment on the host; null: `vllm` of PATH. */
  readonly venv: string | null;
}

/** A server that runs already; nothing is started or stopped. */
export interface UrlServe extends ServeCommon {
  readonly engine: "url";
  /** Without a trailing slash and without /v1. */
  readonly baseUrl: string;
  /** PEM file with the certificates to trust instead of the public ones; absent: the public ones. */
  readonly caFile?: string;
}

export type Endpoint = "/v1/completions" | "/v1/chat/completions" | "/api/chat/completions";

/** A file of prompts, in the dialect of any benchmark (prompt-file.ts). */
export interface PromptFileRef {
  readonly path: string;
  /** Which answer length counts when the file has one too. */
  readonly outputLengths: "file" | "workload";
}

/** A search that ends by itself. Levels are requests in flight, or requests per second of an open loop. */
export interface SweepSpec {
  readonly of: "concurrency" | "rate";
  /** The first level; each next one is twice the one before. */
  readonly from: number;
  /** No level above this is tried. */
  readonly to: number;
  /** A doubled concurrency that brings less throughput than this does not pay any more. */
  readonly minGainPct: number;
  /** Share of requests that have to keep every limit of `slo`. */
  readonly goodPct: number;
  /** Measurements between the highest level that holds and the lowest that does not. */
  readonly refinements: number;
}

/** A trace in Mooncake's format (trace-file.ts). */
export interface TraceSpec {
  readonly path: string;
  /** 2 replays in half the time. */
  readonly speed: number;
  /** Tokens for which one entry of `hash_ids` stands. */
  readonly blockTokens: number;
  readonly unit: "ms" | "s";
}

/** Sessions of several turns, of which `concurrency` are held at the same time. */
export interface SessionSpec {
  /** Turns of each session; null: as many as the conversation in the file has. */
  readonly turns: number | null;
  /** Tokens that a person adds in each turn after the first; null: those of the file. */
  readonly turnInputTokens: number | null;
  /** Pause of a person before each turn after the first. */
  readonly thinkMs: number;
}

export interface Workload {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Length of each prompt; null: those of a file have their own. */
  readonly inputTokens: number | null;
  /** Length of each answer for which a prompt file names none. */
  readonly outputTokens: number;
  /** Lengths of seeded prompts and answers are uniform within this share of `inputTokens` and `outputTokens`. Absent: 0. */
  readonly lengthSpread?: number;
  /** Absent: seeded prompts of exactly `inputTokens`. */
  readonly prompts?: PromptFileRef;
  /** Closed-loop levels, measured one after the other; each a load point. */
  readonly concurrency: readonly number[];
  readonly requestsPerLevel: number;
  /** Requests per second of an open loop with Poisson arrivals; null: closed loop at `concurrency`. */
  readonly requestRate: number | null;
  /** Whole measurements of each level. Levels are interleaved: 1, 4, 8, then 1, 4, 8 again. */
  readonly repeats: number;
  /** Waves of `concurrency` requests with other prompts before each level is measured the first time. */
  readonly warmupWaves: number;
  readonly seed: number;
  readonly ignoreEos: boolean;
  readonly temperature: number;
  /** A stream that sends nothing for this long ends as `stall_timeout`. */
  readonly stallTimeoutMs: number;
  readonly totalTimeoutMs: number;
  /** Gaps between arrivals of an open loop; absent: poisson. */
  readonly arrivals?: "poisson" | "constant" | "gamma";
  /** Shape of gamma gaps: 1 is Poisson, below it comes in bursts, above it is more even. Absent: 1. */
  readonly burstiness?: number;
  /** The rate rises from this to `requestRate` over the requests of an open loop. */
  readonly rampFromRate?: number;
  /** How the rate rises: by equal steps (absent), or by an equal factor from request to request. */
  readonly ramp?: "exponential";
  /** At most so many requests of an open loop in flight; the others wait, and their latency counts the wait. */
  readonly maxConcurrency?: number;
  /** Requests start for this long instead of up to `requestsPerLevel`. */
  readonly durationMs?: number;
  /** Hold conversations of several turns instead of sending requests that stand alone. */
  readonly sessions?: SessionSpec;
  /** Send what a trace says, when it says: an open loop whose rate is that of the trace. */
  readonly trace?: TraceSpec;
  /** Look for the highest level that the server holds, instead of measuring given ones. */
  readonly sweep?: SweepSpec;
  /** Ask the server for usage on every chunk (vLLM's continuous_usage_stats): gives token-weighted ITL. */
  readonly usagePerChunk?: boolean;
  /** The first so many tokens are the same in every prompt of a run. */
  readonly sharedPrefixTokens?: number;
  /** Limits that an answer must keep to be good. */
  readonly slo?: { readonly ttftMs?: number; readonly tpotMs?: number; readonly e2eMs?: number };
}

/** Names of the metrics a gate can judge. Units: tok/s, ms, ratio. */
export type MetricName = "output_tok_s" | "tpot_p50_ms" | "ttft_p50_ms" | "e2e_p50_ms" | "request_s" | "success_ratio";

export interface GateRule {
  readonly metric: MetricName;
  /** A change for the worse smaller than this is never a failure. */
  readonly deltaPct: number;
  /** A pass needs the confidence bound to exclude a change for the worse of this size. */
  readonly budgetPct: number;
  /** A change smaller than this in the metric's own unit is never a failure; null: no floor. */
  readonly floor: number | null;
}

export interface GateSpec {
  readonly mode: "gate" | "warn";
  /** A record file, or a folder of records; null: use `history`, else there is no baseline. */
  readonly baseline: string | null;
  readonly onInconclusive: "pass" | "warn" | "fail";
  /** True: "nothing to compare with" fails. */
  readonly requireComparison: boolean;
  readonly rules: readonly GateRule[];
  /** Records made of other tools' results may be baselines; absent: no. */
  readonly allowImported?: boolean;
  /** A run with a lower share of complete requests is invalid. */
  readonly minSuccessRatio: number;
}

export interface HistorySpec {
  readonly store: "folder";
  readonly path: string;
}

export interface ReportSpec {
  /** Folder on the runner for junit.xml, summary.md, results.json, record files. */
  readonly dir: string;
}

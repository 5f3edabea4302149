/** A running model server as the benchmark and the record see it. */
export interface Deployment {
  readonly host: string;
  readonly engine: "ipex-llm" | "vllm" | "url";
  /** For example http://10.0.0.5:8000, without /v1. */
  readonly baseUrl: string;
  readonly servedModelName: string;
  /** From /version, else from the image; null when the server does not say. */
  readonly engineVersion: string | null;
  /** name@sha256:… as the container engine resolved it; null without a container. */
  readonly imageDigest: string | null;
  /** The exact command line, secrets left out; empty for engine "url". */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly tensorParallel: number | null;
  /** max_model_len of /v1/models. */
  readonly maxModelLen: number | null;
  readonly startedAt: string;
  /** From the start command to the first real completion; null for engine "url". */
  readonly readyMs: number | null;
  /** Present when requests went through the SSH connection to the host. */
  readonly tunnel?: TunnelCost;
}

/** What the way through SSH costs: medians of GET /health on a connection that is open already. */
export interface TunnelCost {
  readonly roundTripMs: number | null;
  /** The same directly; null: the port cannot be reached from here. */
  readonly directMs: number | null;
}

/** A deployment that we started and must stop. `stop` is idempotent. */
export interface RunningServer {
  readonly deployment: Deployment;
  /** Ends the server and everything it started. Throws SERVER_STOP_FAILED when something is left. */
  stop(): Promise<void>;
  /** Last log lines of the server, oldest first. */
  logTail(lines: number): Promise<readonly string[]>;
}

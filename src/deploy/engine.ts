/** One way to run a model server on a host. */
export interface Engine {
  /**
   * Checks that the host has what the server needs, and fetches what may be fetched. Resolves with what starts the
   * server, which resolves when it was started, not when it is ready, and may leave something when it throws:
   * `stopServer` ends it.
   */
  prepare(): Promise<() => Promise<Launch>>;
  /** Whether the server still runs, and its last log lines. */
  observe(logLines: number): Promise<Observation>;
}

/** What was started. */
export interface Launch {
  /** The server's own command line, without secrets. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly imageDigest: string | null;
  /** Taken from the image when the server does not say its version. */
  readonly imageTag: string | null;
}

export interface Observation {
  readonly state: "running" | "exited";
  /** Null while it runs, or when nobody saw how it ended. */
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** What the container engine says about a container that could not start. */
  readonly error: string | null;
  /** Oldest first. */
  readonly log: readonly string[];
}

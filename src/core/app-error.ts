/** Every way a run can stop, with the exit code of the process. `docs/errors.md` is generated from this table. */
export const ERROR_CODES = {
  INPUT_INVALID: { exitCode: 2, means: "A configuration file, an Action input or a flag is wrong" },
  CONFIG_NOT_FOUND: { exitCode: 2, means: "The configuration file does not exist or cannot be read" },
  SECRET_MISSING: { exitCode: 2, means: "A secret that the configuration names is not in the environment" },
  PLAYBOOK_INVALID: { exitCode: 2, means: "A playbook does not exist or breaks the playbook schema" },
  BASELINE_INVALID: { exitCode: 2, means: "A baseline record cannot be read or is not an arc-vllm record" },
  RECORD_INVALID: { exitCode: 2, means: "A record file is corrupt or of another schema" },
  FORK_REFUSED: { exitCode: 2, means: "A pull request from a fork asked for a real host" },
  HOST_UNREACHABLE: { exitCode: 3, means: "No connection to the host" },
  HOST_KEY_MISSING: { exitCode: 3, means: "Nothing says which host key to trust" },
  HOST_KEY_MISMATCH: { exitCode: 3, means: "The host offered another key than the trusted one" },
  HOST_AUTH_FAILED: { exitCode: 3, means: "The host refused the user or the key" },
  HOST_CONNECTION_LOST: { exitCode: 3, means: "The connection broke while a command ran" },
  HOST_NO_SUDO: { exitCode: 3, means: "A step needs root and sudo without a password is not allowed" },
  HOST_UNSUPPORTED: { exitCode: 3, means: "The playbook is for another operating system, release or GPU" },
  HOST_NOT_READY: { exitCode: 3, means: "The host does not meet the requirements of the playbook" },
  HOST_REBOOT_FAILED: { exitCode: 3, means: "The host did not come back, or came back in another state than expected" },
  HOST_NOT_CONVERGED: { exitCode: 3, means: "The second pass of a playbook still wanted changes" },
  STEP_FAILED: { exitCode: 3, means: "A playbook step failed" },
  COMMAND_FAILED: { exitCode: 3, means: "A command on a host failed" },
  COMMAND_TIMED_OUT: { exitCode: 3, means: "A command on a host took longer than its limit" },
  HOST_BUSY: { exitCode: 75, means: "Another run holds the host" },
  ENGINE_MISSING: { exitCode: 4, means: "The engine (docker, an image, a vllm command) is not on the host" },
  IMAGE_MISSING: { exitCode: 4, means: "The container image cannot be pulled or is not on the host" },
  MODEL_NOT_FOUND: { exitCode: 4, means: "The model folder or the served model does not exist" },
  PORT_IN_USE: { exitCode: 4, means: "Another process listens on the port of the server" },
  SERVER_EXITED: { exitCode: 4, means: "The model server ended while it was starting" },
  SERVER_OUT_OF_MEMORY: { exitCode: 4, means: "The model server ran out of host or GPU memory" },
  SERVER_NOT_READY: { exitCode: 4, means: "The model server did not become ready in time" },
  SERVER_STOP_FAILED: { exitCode: 4, means: "The model server could not be stopped" },
  ENDPOINT_UNREACHABLE: { exitCode: 4, means: "Nothing answers at the endpoint" },
  ENDPOINT_NOT_OPENAI: { exitCode: 4, means: "What answers at the endpoint does not speak the OpenAI protocol" },
  ENDPOINT_NOT_FOUND: { exitCode: 4, means: "The endpoint answers 404" },
  ENDPOINT_UNAUTHORIZED: { exitCode: 4, means: "The endpoint refused the API key" },
  BENCH_INVALID: { exitCode: 5, means: "The measurement cannot be trusted" },
  BENCH_NO_TOKENS: { exitCode: 5, means: "No request produced a token" },
  REPORT_NOT_WRITTEN: { exitCode: 70, means: "A report file could not be written" },
  CANCELLED: { exitCode: 130, means: "The run was cancelled" },
} as const satisfies Record<string, { exitCode: number; means: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface AppErrorParts {
  /** What happened: "Cannot <action> "<value>": <what is>, <what is wanted>". No final period. */
  readonly message: string;
  /** What to do next, in the imperative. */
  readonly hint: string;
  readonly cause?: unknown;
}

const BRAND = Symbol.for("arc-vllm.AppError");

/** A failure the user can act on. Anything else that escapes is a bug and exits with 70. */
export class AppError extends Error {
  /** The command line and the demo are two bundles, each with a copy of this class: a mark tells, not the prototype. */
  static override [Symbol.hasInstance](value: unknown): value is AppError {
    return typeof value === "object" && value !== null && BRAND in value;
  }

  readonly [BRAND] = true;
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, parts: AppErrorParts) {
    super(parts.message, { cause: parts.cause });
    this.code = code;
    this.hint = parts.hint;
  }
}

export function exitCodeOf(error: unknown): number {
  return error instanceof AppError ? ERROR_CODES[error.code].exitCode : 70;
}

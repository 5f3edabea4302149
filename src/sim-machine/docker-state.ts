import type { VirtualProcess } from "../sim-vllm/vllm-process.ts";

/** What the virtual host's docker daemon knows. */
export interface DockerState {
  readonly images: Map<string, DockerImage>;
  readonly containers: Map<string, Container>;
  /** Processes that were started so far. */
  starts: number;
}

export interface DockerImage {
  /** name:tag, as it was pulled. */
  readonly reference: string;
  readonly id: string;
  readonly digest: string;
  readonly sizeBytes: number;
  /** "vllm" images know the server module; others only exit. */
  readonly holds: "vllm" | "nothing";
}

export interface Mount {
  readonly source: string;
  readonly target: string;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: DockerImage;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** Devices given to the container; a privileged one has them all. */
  readonly devices: readonly string[];
  readonly memoryBytes: number | null;
  readonly network: string;
  readonly restart: string;
  readonly removeAtEnd: boolean;
}

export interface Container extends ContainerSpec {
  readonly id: string;
  readonly createdAt: string;
  status: "created" | "running" | "exited";
  exitCode: number;
  oomKilled: boolean;
  error: string;
  startedAt: string;
  finishedAt: string;
  pid: number;
  readonly log: string[];
  /** Told about every line while someone is attached. */
  readonly attached: Set<(line: string) => void>;
  process: VirtualProcess | null;
  /** Settles when the process has ended and the container says so. */
  ended: Promise<void>;
}

/** Images that the virtual registry serves: the A-series serving image in the tags that people use. */
export function registryImage(reference: string): DockerImage | null {
  const tagged = /@sha256:/.test(reference) || /:[\w.-]+$/.test(reference) ? reference : `${reference}:latest`;
  const known = REGISTRY.find(({ name, digest }) => tagged === name || tagged === `${repositoryOf(name)}@${digest}`);
  if (!known) return null;
  return { reference: tagged, id: known.id, digest: known.digest, sizeBytes: known.sizeBytes, holds: known.holds };
}

export function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}

/** By name and tag, id, or repository and digest. */
export function findImage(docker: DockerState, name: string): DockerImage | null {
  const images = [...docker.images.values()];
  return (
    images.find(
      ({ reference, id, digest }) =>
        [reference, id, `${repositoryOf(reference)}@${digest}`].includes(name) || reference === `${name}:latest`,
    ) ?? null
  );
}

/** By name, or the beginning of its id. */
export function findContainer(docker: DockerState, name: string): Container | null {
  const containers = [...docker.containers.values()];
  return (
    containers.find((container) => container.name === name || (name.length >= 4 && container.id.startsWith(name))) ??
    null
  );
}

const REGISTRY = [
  ...["0.8.3-b19", "0.8.3-b21", "0.8.3-b22"].map((tag) => image(`intelanalytics/ipex-llm-serving-xpu:${tag}`, "vllm")),
  image("intelanalytics/multi-arc-serving:latest", "vllm"),
  image("hello-world:latest", "nothing"),
];

function image(name: string, holds: DockerImage["holds"]) {
  const sizeBytes = holds === "vllm" ? 21_700_000_000 : 13_256;
  return { name, id: `sha256:${pseudoHash(`id ${name}`)}`, digest: `sha256:${pseudoHash(name)}`, sizeBytes, holds };
}

/** 64 hexadecimal digits that begin with 5100 ("sim"), so that nobody takes them for a real digest. */
function pseudoHash(text: string): string {
  let state = 7;
  const digits = Array.from({ length: 60 }, (_, at) => {
    state = (state * 31 + text.charCodeAt(at % text.length) + at) % 104_729;
    return (state % 16).toString(16);
  });
  return `5100${digits.join("")}`;
}

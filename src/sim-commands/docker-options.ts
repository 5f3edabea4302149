import type { ContainerSpec, DockerImage, Mount } from "../sim-machine/docker-state.ts";

/** The words of `docker create` and `docker run`. */
export interface CreateWords {
  readonly image: string;
  readonly command: readonly string[];
  readonly detach: boolean;
  readonly options: ReadonlyMap<string, readonly string[]>;
}

/** Options that take no value; every other long option takes one. */
const SWITCHES = new Set([
  "detach",
  "interactive",
  "tty",
  "rm",
  "privileged",
  "init",
  "quiet",
  "read-only",
  "no-healthcheck",
]);
const LONG: Readonly<Record<string, string>> = {
  d: "detach",
  i: "interactive",
  t: "tty",
  e: "env",
  v: "volume",
  p: "publish",
  m: "memory",
  l: "label",
  u: "user",
  w: "workdir",
  q: "quiet",
  h: "hostname",
};

/** Splits the words after `docker run`. A problem comes back in docker's own words. */
export function parseCreate(args: readonly string[]): CreateWords | { readonly problem: string } {
  const options = new Map<string, string[]>();
  const add = (name: string, value: string) => options.set(name, [...(options.get(name) ?? []), value]);
  let at = 0;
  for (let word = args[0]; word?.startsWith("-") && word !== "-"; word = args[at]) {
    const takesNext = word.startsWith("--")
      ? addLong(word.slice(2), args[at + 1], add)
      : addShort(word.slice(1), args[at + 1], add);
    if (takesNext && args[at + 1] === undefined) return { problem: `flag needs an argument: ${word}` };
    at += takesNext ? 2 : 1;
  }
  const image = args[at];
  if (image === undefined) return { problem: '"docker run" requires at least 1 argument.' };
  return { image, command: args.slice(at + 1), detach: options.has("detach"), options };
}

/** True when the option took the next word for its value. */
function addLong(text: string, next: string | undefined, add: AddOption): boolean {
  const [name, inline] = splitOnce(text, "=");
  if (inline === null && !SWITCHES.has(name)) {
    add(name, next ?? "");
    return true;
  }
  add(name, inline ?? "true");
  return false;
}

type AddOption = (name: string, value: string) => unknown;

/** What is left of the container's settings once the image is known; null values fall to docker's defaults. */
export function toContainerSpec(words: CreateWords, image: DockerImage, fallbackName: string): ContainerSpec {
  const { options } = words;
  const last = (name: string) => options.get(name)?.at(-1) ?? null;
  const pairs = (name: string) =>
    Object.fromEntries(
      (options.get(name) ?? []).map((word) => splitOnce(word, "=").map((part) => part ?? "") as [string, string]),
    );
  const entrypoint = last("entrypoint");
  const start = entrypoint === null ? ["bash", "/llm/start-vllm-service.sh"] : entrypoint === "" ? [] : [entrypoint];
  return {
    name: last("name") ?? fallbackName,
    image,
    argv: [...start, ...words.command],
    env: pairs("env"),
    labels: pairs("label"),
    mounts: [...(options.get("volume") ?? []).map(volume), ...(options.get("mount") ?? []).map(bindMount)],
    devices: options.has("privileged") ? ["/dev/dri"] : (options.get("device") ?? []),
    memoryBytes: parseSize(last("memory")),
    network: last("network") ?? last("net") ?? "bridge",
    restart: last("restart") ?? "no",
    removeAtEnd: options.has("rm"),
  };
}

/** One or more short options in one word; the last may have its value glued on or in the next word. */
function addShort(letters: string, next: string | undefined, add: AddOption): boolean {
  for (let at = 0; at < letters.length; at += 1) {
    const name = LONG[letters[at] as string] ?? (letters[at] as string);
    if (SWITCHES.has(name)) {
      add(name, "true");
      continue;
    }
    const glued = letters.slice(at + 1).replace(/^=/, "");
    add(name, glued === "" ? (next ?? "") : glued);
    return glued === "";
  }
  return false;
}

function volume(word: string): Mount {
  const [source = "", target = ""] = word.split(":");
  return { source, target };
}

/** `--mount` is one line of CSV. */
function bindMount(word: string): Mount {
  const fields = (word.match(/"(?:[^"]|"")*"|[^,]+/g) ?? []).map((field) =>
    field.replace(/^"|"$/g, "").replaceAll('""', '"'),
  );
  const value = (...names: string[]) =>
    fields.map((field) => splitOnce(field, "=")).find(([key]) => names.includes(key))?.[1] ?? "";
  return { source: value("source", "src"), target: value("target", "dst", "destination") };
}

function parseSize(text: string | null): number | null {
  const match = /^(\d+(?:\.\d+)?)([bkmg]?)b?$/i.exec(text ?? "");
  if (!match) return null;
  return Number(match[1]) * ({ b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[(match[2] || "b").toLowerCase()] ?? 1);
}

function splitOnce(text: string, by: string): [string, string | null] {
  const at = text.indexOf(by);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

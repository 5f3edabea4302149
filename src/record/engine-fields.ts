import type { Deployment } from "../deploy/deployment.ts";
import type { Fields } from "./fingerprint.ts";

/** Where the server listens and what it is called: no effect on speed. */
const ADDRESS_FLAGS = new Set(["host", "port", "served-model-name", "api-key", "uvicorn-log-level"]);
const SECRET_NAME = /TOKEN|KEY|SECRET|PASSWORD/i;

/**
 * The engine part of a fingerprint. Flags and environment are the recipe (hard); the image and the version are
 * expected to move from night to night (soft), as is the slot of a card.
 */
export function engineFields(deployment: Deployment): { hard: Fields; soft: Fields } {
  const flags = flagsOf(deployment.argv);
  const model = flags.get("model") ?? deployment.servedModelName;
  const recipe = [...flags].filter(([name]) => name !== "model" && !ADDRESS_FLAGS.has(name));
  const env = Object.entries(deployment.env).filter(([name]) => !SECRET_NAME.test(name));
  return {
    hard: {
      engine: deployment.engine,
      // A way through SSH is part of every first token. Without one the field is absent, as in records of before.
      ...(deployment.tunnel && { "measured through": "ssh" }),
      // The folder above the model differs from host to host; the last part is its name.
      model: model.replace(/\/+$/, "").split("/").at(-1) ?? model,
      "tensor parallel": deployment.tensorParallel,
      ...Object.fromEntries(recipe.map(([name, value]) => [`flag ${name}`, value])),
      ...Object.fromEntries(env.filter(([name]) => name !== "ZE_AFFINITY_MASK").map(([k, v]) => [`env ${k}`, v])),
    },
    soft: {
      "engine version": deployment.engineVersion,
      image: deployment.imageDigest,
      "max model length": deployment.maxModelLen,
      ...Object.fromEntries(env.filter(([name]) => name === "ZE_AFFINITY_MASK").map(([k, v]) => [`env ${k}`, v])),
    },
  };
}

/** Flags of a command line by name without dashes, whatever their order and spelling (`--a=1`, `--a 1`, `--a`). */
function flagsOf(argv: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  const serve = argv.indexOf("serve");
  const positional = serve < 0 ? undefined : argv[serve + 1];
  if (positional !== undefined && !positional.startsWith("--")) flags.set("model", positional);
  for (const [index, word] of argv.entries()) {
    if (!word.startsWith("--")) continue;
    const [name = "", inline] = splitOnce(word.slice(2), "=");
    const next = argv[index + 1];
    flags.set(name.replaceAll("_", "-"), inline ?? (next === undefined || next.startsWith("--") ? "true" : next));
  }
  return flags;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

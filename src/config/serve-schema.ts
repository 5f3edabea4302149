import { z } from "zod";
import { checkFlags, type LaunchedEngine } from "./engine-flags.ts";
import { choice, duration, flag, integer, line, plainName, text, VARIABLE, variableName } from "./field-kinds.ts";
import { flagJsonSchema } from "./flag-schema.ts";

const common = {
  "api-key-env": variableName({
    description: "Environment variable that holds the API key of the server.",
    example: "VLLM_API_KEY",
  }).optional(),
  through: choice(["auto", "direct", "ssh"], {
    description:
      "How requests reach the server: directly, through the SSH connection to the host (a server of ours then listens on 127.0.0.1 only), or through it only when the port cannot be reached from here.",
  }).default("auto"),
  "ready-timeout": duration(1000, 14_400_000, {
    description: "How long the server may take from its start to the first real completion.",
    example: "20m",
  }).prefault("20m"),
};

const servedModelName = line("a model name", {
  description: "Name of the model in requests. Without it: the last part of `model`.",
  example: "Llama-3.1-8B-Instruct",
});

function processFields(engine: LaunchedEngine) {
  return {
    model: text(/^\/[^\n\r\0]{1,4095}$/, "the absolute path of the model folder on the host", {
      description: "Folder of the model on the host.",
      example: "/models/Llama-3.1-8B-Instruct",
    }),
    "served-model-name": servedModelName.optional(),
    port: integer(1, 65_535, { description: "Port of the model server." }).default(8000),
    bind: text(/^[0-9A-Fa-f:.]{2,45}$/, "an IP address of the host, such as 0.0.0.0 or 127.0.0.1", {
      description:
        "Address the server listens on. Without it: 127.0.0.1 when every host is local, else 0.0.0.0. Use a firewall or `api-key-env` on a shared network.",
    }).optional(),
    flags: flagsSchema(engine),
    env: envSchema,
    cards: cardsSchema.optional(),
    ...common,
  };
}

/** Flags are checked here, beside the other fields, so that one wrong flag does not hide another mistake. */
function flagsSchema(engine: LaunchedEngine) {
  const wanted = "text, a number, true or false";
  return z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()], { error: wanted }))
    .superRefine((flags, context) => {
      for (const problem of checkFlags(engine, flags).filter(({ severity }) => severity === "error")) {
        const message =
          problem.nearest === null ? problem.wanted : `${problem.wanted}, did you mean "${problem.nearest}"?`;
        context.addIssue({ code: "custom", path: [problem.flag], message, params: { flagProblem: problem } });
      }
    })
    .default({})
    .meta({
      title: "map",
      description: `Flags of the engine as its own command line spells them, without dashes; checked against what ${engine} knows.`,
      examples: [{ "max-model-len": 2048, "tensor-parallel-size": 2, "enforce-eager": true }],
      ...flagJsonSchema(engine),
    });
}

const envWanted = "one line of text, a number, true or false";
const envSchema = z
  .record(
    z.string().regex(VARIABLE, { error: "a variable name of letters, digits and underscores" }),
    z
      .union([z.string().regex(/^[^\n\r\0]*$/, { error: envWanted }), z.number(), z.boolean()], { error: envWanted })
      .transform(String),
  )
  .default({})
  .meta({
    title: "map",
    description: "Environment of the server, added to the defaults of the engine.",
    examples: [{ CCL_WORKER_COUNT: 2 }],
  });

const cardsSchema = z
  .array(integer(0, 63, { description: "Index of a card." }))
  .min(1, { error: "a list of at least one card; leave it out for all cards" })
  .refine((cards) => new Set(cards).size === cards.length, { error: "every card only once" })
  .meta({
    title: "list of integers",
    description: "Cards the server may use, as Level Zero counts them (`ZE_AFFINITY_MASK`). Without it: all.",
    examples: [[0, 1]],
  });

export const ipexLlmSchema = z.strictObject({
  engine: z.literal("ipex-llm").describe("The ipex-llm serving image in a container: Arc A-series."),
  image: text(
    /^[a-z0-9][a-z0-9./_-]*(?::[0-9]+\/[a-z0-9./_-]+)?(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
    "an image with a tag or a digest, such as intelanalytics/ipex-llm-serving-xpu:0.8.3-b19",
    {
      description: "Container image with tag or, better, digest.",
      example: "intelanalytics/ipex-llm-serving-xpu:0.8.3-b19",
    },
  ).refine((image) => /[:@][^/]*$/.test(image), { error: "an image with a tag or a digest, not a bare name" }),
  ...processFields("ipex-llm"),
  "shm-size-gib": integer(1, 1024, { description: "Shared memory of the container (`--shm-size`)." }).default(16),
  "memory-limit-gib": integer(1, 4096, {
    description: "Host memory the container may use (`--memory`). Without it: no limit.",
  }).optional(),
  privileged: flag({
    description:
      "Give the container all rights on the host, as Intel's guides do. `false` hands over the cards' device nodes only, which is known to work with one card.",
  }).default(true),
  pull: choice(["missing", "never"], { description: "Pull the image when it is not on the host, or never." }).default(
    "missing",
  ),
});

export const vllmSchema = z.strictObject({
  engine: z.literal("vllm").describe("`vllm serve` from a virtual environment or PATH of the host."),
  ...processFields("vllm"),
  venv: text(/^\/[^\n\r\0]{1,4095}$/, "the absolute path of a virtual environment on the host", {
    description: "Folder of a Python virtual environment on the host. Without it: `vllm` of PATH.",
    example: "/opt/vllm",
  }).optional(),
});

export const urlSchema = z.strictObject({
  engine: z.literal("url").describe("A server that runs already; nothing is started or stopped."),
  "base-url": text(
    /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/,
    "a URL such as http://10.0.0.5:8000, without a user name",
    {
      description: "URL of the server; a trailing slash or `/v1` is dropped.",
      example: "http://10.0.0.5:8000",
    },
  ),
  "served-model-name": servedModelName.meta({ description: "Name of the model in requests." }),
  "ca-file": line("a path", {
    description:
      "PEM file with the certificates to trust for https, such as that of your own CA. Without it: the public ones.",
    example: "certs/ca.pem",
  }).optional(),
  ...common,
});

export const serveSchema = z
  .discriminatedUnion("engine", [ipexLlmSchema, vllmSchema, urlSchema])
  .describe("The model server. Without it a run ends after check and provisioning.");

export const playbookSchema = z
  .union([
    line("a playbook name or path", { description: "Name in playbooks/, or a path that ends in .yml." }),
    z.strictObject({
      name: line("a playbook name or path", {
        description: "Name in playbooks/, or a path that ends in .yml.",
        example: "ubuntu-22.04-a770",
      }),
      vars: z
        .record(
          plainName({ description: "Name of a variable." }),
          z.union([z.string(), z.number(), z.boolean()]).transform(String),
        )
        .default({})
        .meta({
          title: "map",
          description: "Values for the variables of the playbook.",
          examples: [{ gpu_mhz: 2400 }],
        }),
      tags: tags("Only steps with one of these tags. What a step needs is then taken to be there.").optional(),
      "skip-tags": tags("No steps with one of these tags.").optional(),
    }),
  ])
  .meta({
    title: "text or map",
    description: "What the hosts should be like. Without it hosts are checked but never changed.",
    examples: ["ubuntu-22.04-a770"],
  });

function tags(description: string) {
  const tag = text(/^[a-z0-9][a-z0-9_-]*$/, "a tag of small letters, digits, - and _", {
    description: "Tag of a step.",
  });
  return z
    .array(tag)
    .min(1)
    .meta({ title: "list", description, examples: [["clocks"]] });
}

export type ServeEntry = z.output<typeof serveSchema>;

/** A flag that is a plain number; null when it is not there or something else, such as 8k. */
export function flagNumber(serve: ServeEntry | undefined, flag: string): number | null {
  const value = serve === undefined || serve.engine === "url" ? undefined : serve.flags[flag];
  return value !== undefined && /^\d+$/.test(String(value)) ? Number(value) : null;
}

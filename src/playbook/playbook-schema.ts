import { z } from "zod";
import { KIND_NAMES, kindOf } from "./kinds.ts";
import type { StepKind } from "./playbook.ts";
import { stepDuration, word } from "./word-schemas.ts";

/** Words of every step, whatever its kind. */
const stepWords = {
  name: z.string().min(1).max(120),
  needs: z.array(z.string()).optional(),
  tags: z.array(word(/^[a-z0-9][a-z0-9_-]*$/, "a tag of small letters, digits, - and _")).optional(),
  /** Bash that ends with 0 when the step applies to this host. */
  when: z.string().min(1).optional(),
  timeout: stepDuration.optional(),
  /** Bash that must end with 0 too, besides the check of the kind itself. */
  verify: z.string().min(1).optional(),
  remedy: z.string().min(1).optional(),
};

const kindWords = Object.fromEntries(KIND_NAMES.map((name) => [name, kindOf(name).schema.optional()])) as Record<
  StepKind,
  z.ZodOptional<z.ZodType<unknown>>
>;

/** Two kinds are also words of other steps: `hold: true` on apt, and `reboot: if-changed` on anything. */
const modifiers = {
  hold: z.union([z.boolean(), kindOf("hold").schema]).optional(),
  reboot: z.union([z.literal("if-changed"), kindOf("reboot").schema]).optional(),
};

const stepSchema = z.strictObject({ ...stepWords, ...kindWords, ...modifiers }).superRefine((step, context) => {
  const kinds = KIND_NAMES.filter((name) => typeof step[name] === "object");
  if (kinds.length !== 1) {
    const message = `exactly one of ${KIND_NAMES.join(", ")}`;
    context.addIssue({ code: "custom", message });
  }
  if (typeof step.hold === "boolean" && step.apt === undefined) {
    context.addIssue({ code: "custom", path: ["hold"], message: 'no "hold" here: it belongs to apt steps' });
  }
});

/** A playbook as it is written, with variables filled in already. */
export const playbookSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(120),
  hosts: z
    .strictObject({
      os: word(/^[a-z][a-z0-9._-]*$/, "the ID of os-release, e.g. ubuntu").optional(),
      release: z
        .union([RELEASE(), z.array(RELEASE()).min(1)], { error: 'a release in quotes, e.g. "22.04", or a list' })
        .optional(),
      arch: z.enum(["amd64", "arm64"]).optional(),
    })
    .optional(),
  become: z.boolean().optional(),
  vars: z
    .record(
      word(/^[a-z][a-z0-9_]{0,40}$/, "a name of small letters, digits and _"),
      z.string({ error: "text: put the value in quotes" }),
    )
    .optional(),
  steps: z.array(stepSchema).min(1),
});

export type PlaybookFile = z.infer<typeof playbookSchema>;
export type StepFile = PlaybookFile["steps"][number];

export const PLAYBOOK_KEYS = Object.keys(playbookSchema.shape);
export const HOSTS_KEYS = ["os", "release", "arch"];
export const STEP_KEYS = [...Object.keys(stepWords), ...KIND_NAMES];

function RELEASE() {
  return word(/^\d+(\.\d+)*$/, 'a release in quotes, e.g. "22.04"');
}

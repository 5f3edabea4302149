import { z } from "zod";
import { REQUIREMENTS, requirement } from "../requirements/requirements.ts";
import { type Kind, strictBash } from "./kind.ts";

const names = Object.keys(REQUIREMENTS) as [string, ...string[]];

const schema = z
  .strictObject({
    /** One of the requirements that are judged from the facts. */
    that: z.enum(names).optional(),
    /** What the requirement wants, for those that take a value. */
    want: z.string().optional(),
    /** Bash that ends with 0 when the assertion holds; its output is the evidence. */
    check: z.string().min(1).optional(),
    /** Run `check` for every discrete Intel GPU, with GPU_BDF, GPU_DEVICE_ID and GPU_NAME set. */
    each: z.literal("intel-gpus").optional(),
    /** `warn` shows the failure and goes on; `fail` (default) stops before anything is changed. */
    severity: z.enum(["fail", "warn"]).optional(),
  })
  .superRefine((body, context) => {
    if ((body.that === undefined) === (body.check === undefined)) {
      context.addIssue({ code: "custom", message: 'one of "that" and "check"' });
    }
    const rule = requirement(body.that ?? "");
    if (rule === null) return;
    if (rule.want === null && body.want !== undefined) {
      context.addIssue({ code: "custom", path: ["want"], message: `no value: "${body.that}" takes none` });
    }
    if (rule.want !== null && !body.want) {
      context.addIssue({ code: "custom", message: `"want" for "${body.that}": ${rule.want}` });
    }
    if (rule.scope === "host" && body.each !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["each"],
        message: `no "each": "${body.that}" is about the host`,
      });
    }
  });

/** Something that must hold and that a person has to change: BIOS settings, hardware, another release. */
export const assertKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) => {
    const rule = body.that === undefined ? null : requirement(body.that);
    return {
      type: "assert",
      severity: body.severity ?? "fail",
      by:
        body.that === undefined
          ? { check: strictBash(body.check ?? "") }
          : { requirement: body.that, want: body.want ?? null },
      eachGpu: rule === null ? body.each !== undefined : rule.scope === "gpu",
    };
  },
};

import { z } from "zod";
import type { Kind } from "./kind.ts";
import { absolutePath, kernelRelease, stepDuration, unitName } from "./word-schemas.ts";

const schema = z.strictObject({
  when: z.literal("needed").optional(),
  timeout: stepDuration.optional(),
  expect: z
    .strictObject({
      uname: kernelRelease.optional(),
      paths: z.array(absolutePath).optional(),
      units: z.array(unitName).optional(),
    })
    .optional(),
});

/** Reboots when a changed step asked for it, when the host says so, or when another kernel than the wanted one runs. */
export const rebootKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) => ({
    type: "reboot",
    timeoutMs: body.timeout ?? 900_000,
    expect: {
      uname: body.expect?.uname ?? null,
      paths: body.expect?.paths ?? [],
      units: body.expect?.units ?? [],
    },
  }),
};

import { z } from "zod";
import { type Kind, scriptWork, strictBash } from "./kind.ts";

const schema = z.strictObject({
  /** Ends with 0 when there is nothing to do. */
  check: z.string().min(1),
  apply: z.string().min(1),
  undo: z.string().min(1).optional(),
  /** "finish": let `apply` run to its end when the connection breaks. */
  on_disconnect: z.enum(["kill", "finish"]).optional(),
});

/** The escape hatch: the parts of a step in bash. Variables of the playbook arrive as environment variables. */
export const shellKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) =>
    scriptWork({
      check: strictBash(body.check),
      apply: strictBash(body.apply),
      undo: body.undo === undefined ? null : strictBash(body.undo),
      onDisconnect: body.on_disconnect ?? "kill",
    }),
};

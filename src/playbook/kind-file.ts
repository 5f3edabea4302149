import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { absolutePath, fileMode } from "./word-schemas.ts";

const schema = z
  .strictObject({
    path: absolutePath,
    mode: fileMode.optional(),
    content: z.string().optional(),
    /** File beside the playbook, taken as it is. */
    source: z.string().min(1).optional(),
  })
  .refine((body) => (body.content === undefined) !== (body.source === undefined), {
    error: 'one of "content" and "source"',
  });

/** A file with this content and mode. Written whole, then renamed into place. */
export const fileKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body, { sources }) =>
    scriptWork({
      check: FILE_CHECK,
      apply: FILE_APPLY,
      undo: 'arc_restore "$FILE"',
      env: {
        FILE: body.path,
        MODE: (body.mode ?? "0644").replace(/^0/, ""),
        CONTENT: body.content ?? sources.get(body.source ?? "") ?? "",
      },
    }),
};

export const FILE_CHECK = `
if [ ! -e "$ARC_ROOT$FILE" ]; then arc_differs "no $FILE" "$FILE"; arc_diff "$CONTENT" "$FILE"
elif ! arc_same "$CONTENT" "$ARC_ROOT$FILE"; then
  arc_differs "$FILE differs" "$FILE as in the playbook"
  arc_diff "$CONTENT" "$FILE"
elif [ "$(stat -c %a "$ARC_ROOT$FILE")" != "$MODE" ]; then
  arc_differs "$FILE has mode $(stat -c %a "$ARC_ROOT$FILE")" "mode $MODE"
fi
[ "$arc_rc" = 0 ]
`;

export const FILE_APPLY = `
arc_save "$FILE"
arc_write "$CONTENT" "$ARC_ROOT$FILE" "$MODE" || exit 1
`;

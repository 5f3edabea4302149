import { z } from "zod";
import { type Kind, scriptWork } from "./kind.ts";
import { word } from "./word-schemas.ts";

const schema = z.strictObject({
  image: word(/^[a-z0-9][A-Za-z0-9._/:@-]*$/, "an image with a tag or digest"),
});

/** A container image that is on the host before a server needs it. */
export const containerImageKind: Kind<z.infer<typeof schema>> = {
  schema,
  compile: (body) =>
    scriptWork({
      check: `
id=$(docker image inspect --format '{{.Id}}' "$IMAGE" 2>/dev/null) && { arc_evidence "$id"; exit 0; }
arc_differs "$IMAGE is not on the host" "$IMAGE"
exit 1`,
      apply: 'docker pull "$IMAGE"',
      undo: 'docker image rm "$IMAGE"',
      env: { IMAGE: body.image },
    }),
};

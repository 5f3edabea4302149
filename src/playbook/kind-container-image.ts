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
      check: `${SLEEPS}
if arc_docker_sleeps; then arc_differs "docker is not started, so its images are not known" "$IMAGE"; exit 1; fi
id=$(docker image inspect --format '{{.Id}}' "$IMAGE" 2>/dev/null) && { arc_evidence "$id"; exit 0; }
arc_differs "$IMAGE is not on the host" "$IMAGE"
exit 1`,
      apply: `
docker image inspect "$IMAGE" >/dev/null 2>&1 && exit 0
docker pull "$IMAGE" || exit 1
[ -z "$ARC_STEP_DIR" ] || : > "$ARC_STEP_DIR/pulled"`,
      undo: '[ ! -e "$ARC_STEP_DIR/pulled" ] || docker image rm "$IMAGE"',
      env: { IMAGE: body.image },
    }),
};

// A question to docker's socket would start it, and a check changes nothing.
const SLEEPS = `
arc_docker_sleeps() {
  [ "$(systemctl is-active docker.socket 2>/dev/null)" = active ] &&
    [ "$(systemctl is-active docker.service 2>/dev/null)" != active ]
}`;

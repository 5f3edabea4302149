import type { ZodType } from "zod";
import type { Kind } from "./kind.ts";
import { aptKind } from "./kind-apt.ts";
import { aptRepoKind } from "./kind-apt-repo.ts";
import { assertKind } from "./kind-assert.ts";
import { containerImageKind } from "./kind-container-image.ts";
import { fileKind } from "./kind-file.ts";
import { groupsKind } from "./kind-groups.ts";
import { holdKind } from "./kind-hold.ts";
import { kernelKind } from "./kind-kernel.ts";
import { rebootKind } from "./kind-reboot.ts";
import { shellKind } from "./kind-shell.ts";
import { sysfsKind } from "./kind-sysfs.ts";
import { unitKind } from "./kind-unit.ts";
import type { StepKind } from "./playbook.ts";

/** Every kind by its name in a playbook. */
export const KINDS = {
  apt: aptKind,
  apt_repo: aptRepoKind,
  hold: holdKind,
  kernel: kernelKind,
  file: fileKind,
  unit: unitKind,
  sysfs: sysfsKind,
  groups: groupsKind,
  assert: assertKind,
  reboot: rebootKind,
  container_image: containerImageKind,
  shell: shellKind,
} as const satisfies Record<StepKind, unknown>;

export const KIND_NAMES = Object.keys(KINDS) as readonly StepKind[];

/** A kind whose body type is forgotten: its schema gives exactly what its compile takes. */
export function kindOf(name: StepKind): Kind<unknown> {
  return KINDS[name] as Kind<unknown>;
}

/** Keys that may stand in a body, for "did you mean"; the shape of a strict object, whatever is refined on top. */
export function bodyKeys(schema: ZodType): readonly string[] {
  const shape = (schema as { shape?: Record<string, unknown> }).shape;
  return shape === undefined ? [] : Object.keys(shape);
}

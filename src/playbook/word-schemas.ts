import { z } from "zod";
import { duration } from "../config/field-kinds.ts";

// Words that end up as arguments of commands: nothing here may start with a dash or hold a space.

export const packageName = word(/^[a-z0-9][a-z0-9+.-]+$/, "a package name");
export const packageSpec = word(
  /^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9][A-Za-z0-9.+:~-]*)?$/,
  'a package as "name" or "name=version"',
);
export const kernelRelease = word(
  /^\d+\.\d+[A-Za-z0-9.+_~-]*$/,
  'a kernel release as uname -r prints it, e.g. "6.5.0-35-generic"',
);
export const absolutePath = word(
  /^\/(?!.*(?:^|\/)\.\.?(?:\/|$))\S*[^/\s]$/,
  "an absolute path without spaces, . and ..",
);
export const unitName = word(
  /^[A-Za-z0-9][A-Za-z0-9:_.@-]*\.(service|timer|socket|target|mount|path)$/,
  'the name of a systemd unit, e.g. "arc-vllm-cpu.service"',
);
export const accountName = word(/^[a-z_][a-z0-9_-]*$/, "the name of a user or group");
export const fileMode = word(/^0?[0-7]{3}$/, 'a file mode in quotes, e.g. "0644"');

/** From a second to a day, in milliseconds. */
export const stepDuration = duration(1000, 86_400_000, { description: "A length of time" });

/** Text that matches a pattern; `wanted` says the pattern in words, at the end of "found …, wanted …". */
export function word(pattern: RegExp, wanted: string) {
  return z.string({ error: wanted }).regex(pattern, { error: wanted });
}

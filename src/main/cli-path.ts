import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The command line's own program: beside this one in dist/, or its source. */
export function cliPath(): string {
  const own = fileURLToPath(import.meta.url);
  return join(dirname(own), `cli${extname(own)}`);
}

/**
 * Script lines that end a stop which is meant for one start only (ONLY_OWNER) when the server in `folder` is another's:
 * the next run may have begun by the time a guard acts. Plain bash, since the embedded host runs it too.
 */
export function otherOwner(folder: string): string {
  return `if [ -n "$ONLY_OWNER" ] && [ "$(cat "${folder}/owner" 2>/dev/null)" != "$ONLY_OWNER" ]; then exit 0; fi`;
}

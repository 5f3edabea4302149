import { integerText } from "./option-table.ts";

/** How long this client is checked before it measures, unless the user says otherwise. */
export const CERTIFICATE_SECONDS = 10;

export const CERTIFICATE_SECONDS_ABOUT =
  "How long this client is checked against a server that knows the truth before it measures; `0` for not at all.";

export function certificateSeconds() {
  return integerText(0, 600);
}

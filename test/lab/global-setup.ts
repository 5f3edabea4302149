import { buildLabImage } from "../../scripts/lab/build-image.ts";
import { requireLabMachine } from "../../scripts/lab/machine/require-machine.ts";

/** Once for all test files: says clearly when this machine cannot run the lab, and builds the image that all hosts share. */
export async function setup(): Promise<void> {
  await requireLabMachine();
  await buildLabImage((line) => console.log(`lab image: ${line}`));
}

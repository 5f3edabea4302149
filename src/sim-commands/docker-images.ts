import { findImage, registryImage, repositoryOf } from "../sim-machine/docker-state.ts";
import { type Call, type CommandResult, failed, ok, splitOptions } from "../sim-machine/stand-in.ts";

/** `docker pull`: only what the virtual registry has. */
export async function pullImage({ machine }: Call, args: readonly string[]): Promise<CommandResult> {
  const reference = splitOptions(args).operands[0] ?? "";
  const image = machine.faults.has("image-not-in-registry") ? null : registryImage(reference);
  if (!image) {
    const repository = repositoryOf(reference);
    return failed(
      1,
      `Error response from daemon: manifest for ${reference} not found: manifest unknown: manifest unknown (${repository})`,
    );
  }
  await machine.pause(12_000);
  machine.docker.images.set(image.reference, image);
  return ok(
    [
      `${reference.split(":")[1] ?? "latest"}: Pulling from ${repositoryOf(reference)}`,
      `Digest: ${image.digest}`,
      `Status: Downloaded newer image for ${reference}`,
      `docker.io/${reference}`,
    ].join("\n"),
  );
}

export function listImages({ machine }: Call): CommandResult {
  const rows = [...machine.docker.images.values()].map(
    ({ reference, id, sizeBytes }) =>
      `${reference.replace(":", "   ")}   ${id.slice(7, 19)}   ${(sizeBytes / 1e9).toFixed(1)}GB`,
  );
  return ok(["REPOSITORY   TAG   IMAGE ID   SIZE", ...rows].join("\n"));
}

export function removeImages({ machine }: Call, args: readonly string[]): CommandResult {
  const { operands } = splitOptions(args);
  for (const name of operands) {
    const image = findImage(machine.docker, name);
    if (!image) return failed(1, `Error response from daemon: No such image: ${name}`);
    machine.docker.images.delete(image.reference);
  }
  return ok(operands.map((name) => `Untagged: ${name}`).join("\n"));
}

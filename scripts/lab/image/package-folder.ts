import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { $ } from "zx";

/** A Debian package made here under the name and version that users install. */
export interface StandInPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture?: "amd64" | "all";
  readonly depends?: readonly string[];
  readonly description: string;
  /** By path inside the package. */
  readonly files?: Readonly<Record<string, PackageFile>>;
  /** Maintainer scripts by name: postinst, prerm, postrm. */
  readonly scripts?: Readonly<Record<string, string>>;
}

export type PackageFile =
  | string
  | Buffer
  | { readonly copyOf: string; readonly executable?: boolean }
  | { readonly linkTo: string };

/** Builds one .deb into `folder` (under the name apt gives it). */
export async function buildPackage(folder: string, stand: StandInPackage): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "arc-lab-package-"));
  try {
    for (const [path, file] of Object.entries(stand.files ?? {})) await put(join(work, path), file);
    await mkdir(join(work, "DEBIAN"));
    await writeFile(join(work, "DEBIAN/control"), controlOf(stand));
    for (const [name, text] of Object.entries(stand.scripts ?? {})) {
      await writeFile(join(work, "DEBIAN", name), text, { mode: 0o755 });
    }
    await mkdir(folder, { recursive: true });
    // The fastest compression: the guest unpacks slowly.
    await $`dpkg-deb --root-owner-group -Zgzip -z1 --build ${work} ${folder}`.quiet();
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function controlOf(stand: StandInPackage): string {
  return [
    `Package: ${stand.name}`,
    `Version: ${stand.version}`,
    `Architecture: ${stand.architecture ?? "amd64"}`,
    "Maintainer: arc-vllm-action lab <lab@example.invalid>",
    "Section: kernel",
    "Priority: optional",
    ...(stand.depends === undefined ? [] : [`Depends: ${stand.depends.join(", ")}`]),
    `Description: ${stand.description} (stand-in)`,
    "",
  ].join("\n");
}

async function put(path: string, file: PackageFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (typeof file === "string" || Buffer.isBuffer(file)) await writeFile(path, file);
  else if ("linkTo" in file) await symlink(file.linkTo, path);
  else {
    await cp(file.copyOf, path);
    await chmod(path, file.executable === true ? 0o755 : 0o644);
  }
}

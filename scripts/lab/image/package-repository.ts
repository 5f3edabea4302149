import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { $ } from "zx";
import { buildPackage, type StandInPackage } from "./package-folder.ts";

export interface Repository {
  /** Folder of the repository: dists/ and pool/. */
  readonly folder: string;
  readonly origin: string;
  readonly suite: string;
  /** Packages by component. */
  readonly components: Readonly<Record<string, readonly StandInPackage[]>>;
  /** Where the public key goes: armored when the name ends in .key, else as a keyring. */
  readonly publicKey: string;
}

/** Builds the packages and a signed apt repository with a key of its own, made for this build and then forgotten. */
export async function writeRepository(repository: Repository): Promise<void> {
  const { folder, suite } = repository;
  for (const [component, packages] of Object.entries(repository.components)) {
    const pool = join(folder, "pool", component);
    await mkdir(pool, { recursive: true });
    await Promise.all(packages.map((stand) => buildPackage(pool, stand)));
    const index = join(folder, "dists", suite, component, "binary-amd64");
    await mkdir(index, { recursive: true });
    const list = await $({ cwd: folder, quiet: true })`apt-ftparchive packages ${join("pool", component)}`;
    await writeFile(join(index, "Packages"), list.stdout);
  }
  const release = await releaseFile(repository);
  await writeFile(join(folder, "dists", suite, "Release"), release);
  await sign(repository);
}

async function releaseFile({ folder, origin, suite, components }: Repository): Promise<string> {
  const fields = {
    Origin: origin,
    Label: origin,
    Suite: suite,
    Codename: suite,
    Architectures: "amd64",
    Components: Object.keys(components).join(" "),
  };
  const options = Object.entries(fields).flatMap(([name, value]) => [
    "-o",
    `APT::FTPArchive::Release::${name}=${value}`,
  ]);
  return (await $({ cwd: folder, quiet: true })`apt-ftparchive ${options} release dists/${suite}`).stdout;
}

async function sign({ folder, origin, suite, publicKey }: Repository): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "arc-lab-gpg-"));
  const gpg = ["--homedir", home, "--batch", "--yes", "--quiet", "--passphrase", ""];
  const release = join(folder, "dists", suite);
  try {
    await $`gpg ${gpg} --quick-generate-key ${`${origin} stand-in`} ed25519 sign never`.quiet();
    await $`gpg ${gpg} --clearsign --output ${join(release, "InRelease")} ${join(release, "Release")}`.quiet();
    await mkdir(dirname(publicKey), { recursive: true });
    const armor = publicKey.endsWith(".key") ? ["--armor"] : [];
    await $`gpg ${gpg} ${armor} --output ${publicKey} --export`.quiet();
  } finally {
    await $`gpgconf --homedir ${home} --kill all`.nothrow().quiet();
    await rm(home, { recursive: true, force: true });
  }
}

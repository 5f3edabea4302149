import { access, rename } from "node:fs/promises";
import { join } from "node:path";
import { $ } from "zx";
import { BASE_PACKAGES, baseHash, CPUPOWER_PACKAGE, EXCLUDED_PATHS, SUITE } from "./recipe.ts";

/** Makes (or finds in the cache) the root file system as a tar file and returns its path. About 40 s. */
export async function baseSystem(cache: string): Promise<string> {
  const tar = join(cache, `base-${baseHash()}.tar`);
  if (await exists(tar)) return tar;
  const unfinished = join(cache, `unfinished-${process.pid}.tar`);
  const dpkgOptions = ["force-unsafe-io", ...EXCLUDED_PATHS.map((path) => `path-exclude=${path}`)];
  const options = [
    "--quiet",
    "--variant=minbase",
    `--include=${BASE_PACKAGES.join(",")}`,
    '--aptopt=Acquire::Languages "none"',
    ...dpkgOptions.map((option) => `--dpkgopt=${option}`),
    // Kept as a package file: its cpupower becomes part of the stand-in for linux-tools-RELEASE.
    `--customize-hook=cd "$1" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq download ${CPUPOWER_PACKAGE}`,
  ];
  await $`mmdebstrap ${options} ${SUITE} ${unfinished} ${await machineSources()}`;
  await $`find ${cache} -maxdepth 1 -name ${"base-*"} -delete`;
  await rename(unfinished, tar);
  return tar;
}

/** This machine's own apt sources, so that its mirror is used. */
async function machineSources(): Promise<string[]> {
  const found = await $`ls /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list`
    .nothrow()
    .quiet();
  return found.stdout.split("\n").filter((path) => path !== "");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What a package repository offers, as far as a GPU host is concerned. */
export interface CatalogPackage {
  readonly name: string;
  /** Newest first. */
  readonly versions: readonly string[];
  readonly origin: Origin;
  readonly depends?: readonly string[];
  /** Programs it brings. */
  readonly commands?: readonly string[];
  readonly description?: string;
}

export interface Origin {
  /** A source line must contain this for the package to be offered. */
  readonly match: string;
  /** As `apt-cache madison` and `policy` print it. */
  readonly shown: string;
  /** Key file that `signed-by` has to name; null: Ubuntu's own. */
  readonly keyId: string | null;
}

const UPDATES: Origin = {
  match: "jammy-updates",
  shown: "http://archive.ubuntu.com/ubuntu jammy-updates/main",
  keyId: null,
};
const INTEL_KEY = "28DA432DAAC8BAEA";
const INTEL_CLIENT: Origin = {
  match: "repositories.intel.com/gpu/ubuntu jammy client",
  shown: "https://repositories.intel.com/gpu/ubuntu jammy/client",
  keyId: INTEL_KEY,
};
const INTEL_LTS: Origin = {
  match: "repositories.intel.com/gpu/ubuntu jammy/lts/2350 unified",
  shown: "https://repositories.intel.com/gpu/ubuntu jammy/lts/2350/unified",
  keyId: INTEL_KEY,
};

/** Kernels of the archive, by release without flavour, with the version of their packages. */
export const ARCHIVE_KERNELS: Readonly<Record<string, string>> = {
  "6.8.0-49-generic": "6.8.0-49.49~22.04.1",
  "6.8.0-45-generic": "6.8.0-45.45~22.04.1",
  "6.8.0-40-generic": "6.8.0-40.40~22.04.3",
  "6.5.0-45-generic": "6.5.0-45.45~22.04.1",
  "6.5.0-41-generic": "6.5.0-41.41~22.04.2",
  "6.5.0-35-generic": "6.5.0-35.35~22.04.1",
  "5.15.0-119-generic": "5.15.0-119.129",
};

export const KERNEL_PARTS = ["image", "headers", "modules", "modules-extra", "tools"] as const;

export type KernelPart = (typeof KERNEL_PARTS)[number];

/** The kernel release and part that a package name stands for; null for other packages. */
export function kernelOf(name: string): { readonly part: KernelPart; readonly release: string } | null {
  const match = /^linux-(image|headers|modules|modules-extra|tools)-(\d.*-generic)$/.exec(name);
  return match ? { part: match[1] as KernelPart, release: match[2] as string } : null;
}

/** Everything that the sources offer together. */
export function catalogFor(
  sources: readonly string[],
  withoutKernels: readonly string[] = [],
): readonly CatalogPackage[] {
  return [...kernelPackages(withoutKernels), ...METAPACKAGES, ...UBUNTU, ...INTEL].filter(({ origin }) =>
    sources.some((line) => line.includes(origin.match)),
  );
}

/** The package that brings a program; null for programs that are always there. */
export function packageOfCommand(command: string): string | null {
  return [...UBUNTU, ...INTEL].find(({ commands }) => commands?.includes(command))?.name ?? null;
}

/**
 * Kernels that a build of i915-dkms compiles on (file `versions` of i915-backports; ipex-llm#11568: 240301 fails on
 * 6.5.0-41; ipex-llm#12156: 240419 fails on 6.8; the last builds of the LTS line still build on 6.5.0-35).
 */
export function buildsOn(version: string, release: string): boolean {
  const build = Number(/^6\.5\.0-(\d+)-/.exec(release)?.[1] ?? Number.NaN);
  if (version.startsWith("1.24.2.")) return build <= 35;
  if (version.startsWith("1.24.3.")) return build <= 45;
  if (version.startsWith("1.23.10.49")) return build <= 41;
  if (version.startsWith("1.23.10."))
    return build <= 45 || release.startsWith("6.8.0-") || release.startsWith("5.15.0-");
  return release.startsWith("6.8.0-") || release.startsWith("5.15.0-");
}

function kernelPackages(without: readonly string[]): CatalogPackage[] {
  return Object.entries(ARCHIVE_KERNELS)
    .filter(([release]) => !without.includes(release))
    .flatMap(([release, version]) =>
      KERNEL_PARTS.map((part) => ({
        name: `linux-${part}-${release}`,
        versions: [version],
        origin: UPDATES,
        depends: kernelDepends(part, release),
        description: `Linux kernel ${part} for version ${release.replace("-generic", "")} on 64 bit x86 SMP`,
      })),
    );
}

function kernelDepends(part: KernelPart, release: string): readonly string[] {
  if (part === "image") return [`linux-modules-${release}`];
  if (part === "modules-extra") return [`linux-image-${release}`];
  if (part === "tools") return ["linux-tools-common"];
  return [];
}

const HWE = "6.8.0-49";
const HWE_VERSION = "6.8.0-49.49~22.04.1";
const HELD_BACK = "6.8.0-45.45~22.04.1";

const METAPACKAGES: readonly CatalogPackage[] = [
  meta("linux-generic-hwe-22.04", ["linux-image-generic-hwe-22.04", "linux-headers-generic-hwe-22.04"]),
  meta("linux-image-generic-hwe-22.04", [`linux-image-${HWE}-generic`, `linux-modules-extra-${HWE}-generic`]),
  meta("linux-headers-generic-hwe-22.04", [`linux-headers-${HWE}-generic`]),
];

function meta(name: string, depends: readonly string[]): CatalogPackage {
  return { name, versions: [HWE_VERSION, HELD_BACK], origin: UPDATES, depends };
}

const UBUNTU: readonly CatalogPackage[] = [
  plain("dkms", "2.8.7-2ubuntu2.2", ["dkms"]),
  plain("gawk", "1:5.1.0-1ubuntu0.1"),
  plain("flex", "2.6.4-8build2"),
  plain("bison", "2:3.8.2+dfsg-1build1"),
  plain("libc6-dev", "2.35-0ubuntu3.8"),
  plain("gcc", "4:11.2.0-1ubuntu1", ["gcc"]),
  plain("gcc-12", "12.3.0-1ubuntu1~22.04"),
  plain("make", "4.3-4.1build1", ["make"]),
  plain("build-essential", "12.9ubuntu3"),
  plain("gnupg", "2.2.27-3ubuntu2.1", ["gpg"]),
  plain("wget", "1.21.2-2ubuntu1.1", ["wget"]),
  plain("curl", "7.81.0-1ubuntu1.18", ["curl"]),
  plain("ca-certificates", "20240203~22.04.1"),
  plain("pciutils", "1:3.7.0-6", ["lspci"]),
  plain("kmod", "29-1ubuntu1"),
  plain("udev", "249.11-0ubuntu3.12"),
  plain("numactl", "2.0.14-3ubuntu2", ["numactl"]),
  plain("hwinfo", "21.79-1"),
  plain("clinfo", "3.0.21.02.21-1", ["clinfo"]),
  plain("intel-gpu-tools", "1.26-2"),
  plain("mokutil", "0.6.0-2~22.04.2", ["mokutil"]),
  plain("docker.io", "24.0.7-0ubuntu2~22.04.1", ["docker"]),
  plain("linux-tools-common", "5.15.0-119.129", ["cpupower"]),
  plain("linux-firmware", "20220329.git681281e4-0ubuntu3.34"),
  plain("initramfs-tools", "0.140ubuntu13.4"),
  plain("grub-efi-amd64", "2.06-2ubuntu7.2"),
  plain("unattended-upgrades", "2.8ubuntu1", ["unattended-upgrade"]),
  plain("needrestart", "3.5-5ubuntu2.1"),
  plain("openssh-server", "1:8.9p1-3ubuntu0.10"),
  plain("sudo", "1.9.9-1ubuntu2.4"),
  plain("numad", "0.5+20150602-9"),
];

const INTEL: readonly CatalogPackage[] = [
  {
    name: "intel-i915-dkms",
    versions: [
      "1.25.1.15.250224.12+i1-1",
      "1.24.8.5.241129.9+i1-1",
      "1.24.3.23.240419.26+i30-1",
      "1.24.2.17.240301.20+i29-1",
    ],
    origin: INTEL_CLIENT,
    depends: ["dkms", "make", "gcc", "libc6-dev"],
    description: "Out of tree i915 driver for Ubuntu oem kernel version.",
  },
  {
    name: "intel-i915-dkms",
    versions: ["1.23.10.92.231129.101+i141-1", "1.23.10.49.231129.50+i52-1"],
    origin: INTEL_LTS,
    depends: ["dkms", "make", "gcc", "libc6-dev"],
  },
  ...[INTEL_CLIENT, INTEL_LTS].flatMap((origin) => [
    intel("intel-fw-gpu", ["2024.24.5-337~22.04", "2024.17.5-329~22.04"], origin),
    intel("intel-level-zero-gpu", ["1.3.29735.27-914~22.04"], origin, ["level-zero"]),
    intel("level-zero", ["1.17.6-914~22.04"], origin),
    intel("intel-opencl-icd", ["24.22.29735.27-914~22.04"], origin),
    intel("libigdgmm12", ["22.3.20-914~22.04"], origin),
    {
      ...intel("xpu-smi", ["1.2.39.20240906.085820.fb2d9ae1~u22.04"], origin, ["intel-level-zero-gpu"]),
      commands: ["xpu-smi"],
    },
  ]),
];

function plain(name: string, version: string, commands: readonly string[] = []): CatalogPackage {
  return { name, versions: [version], origin: UPDATES, commands };
}

function intel(
  name: string,
  versions: readonly string[],
  origin: Origin,
  depends: readonly string[] = [],
): CatalogPackage {
  return { name, versions, origin, depends };
}

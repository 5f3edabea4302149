/**
 * What was read from a host. Null means "could not be read" and always has an entry in `warnings`; it is never a guess.
 * `evidence` holds, per fact name, the line or lines the fact was read from.
 */
export interface HostFacts {
  readonly host: string;
  readonly readAt: string;
  readonly os: OsFacts | null;
  readonly arch: string | null;
  readonly bootId: string | null;
  readonly kernel: KernelFacts;
  readonly secureBoot: "enabled" | "disabled" | "not-efi" | null;
  readonly dkms: readonly DkmsModule[] | null;
  /** Installed packages of interest by name; a package that is not installed is absent. */
  readonly packages: Readonly<Record<string, PackageFacts>>;
  readonly login: LoginFacts;
  readonly cpu: CpuFacts | null;
  readonly memoryMiB: number | null;
  readonly gpus: readonly GpuFacts[];
  /** For example /dev/dri/renderD128. */
  readonly renderNodes: readonly string[];
  readonly docker: string | null;
  readonly xpuSmi: string | null;
  /** Processes that hold a GPU open. Null when they could not be listed; absent in older records. */
  readonly gpuProcesses?: readonly GpuProcess[] | null;
  /** What this boot's kernel log says about GPU firmware. Absent in older records. */
  readonly firmware?: FirmwareFacts | null;
  /** GPUs that programs of this user can compute on. Null also without a warning: no tool to ask. Absent in older records. */
  readonly computeDevices?: readonly ComputeDevice[] | null;
  /** Whether the host upgrades packages by itself. Absent in older records. */
  readonly autoUpgrades?: boolean | null;
  /** Absent in older records. */
  readonly iommu?: IommuMode | null;
  readonly evidence: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** "passthrough": there is an IOMMU, but DMA is not translated. */
export type IommuMode = "on" | "passthrough" | "off";

export interface OsFacts {
  /** os-release ID, for example "ubuntu". */
  readonly id: string;
  readonly versionId: string;
  readonly prettyName: string;
}

export interface KernelFacts {
  /** uname -r. */
  readonly running: string | null;
  /** Releases with an image in /boot, sorted. */
  readonly installed: readonly string[];
  /** Release that GRUB boots next, as far as its files say; null: not known. */
  readonly grubDefault: string | null;
  /** From modinfo for the running kernel: where i915 would be loaded from. */
  readonly i915Path: string | null;
  /** Whether the headers of the running kernel are there (dkms skips a build without them). Absent in older records. */
  readonly headers?: boolean | null;
  /** Which i915 is loaded, proven by its srcversion; null when none is, or it cannot be told. Absent in older records. */
  readonly i915Loaded?: "dkms" | "in-tree" | null;
}

export interface DkmsModule {
  readonly name: string;
  readonly version: string;
  /** Null while the module is only added. */
  readonly kernel: string | null;
  readonly state: "added" | "built" | "installed";
  readonly warning: string | null;
}

export interface PackageFacts {
  readonly version: string;
  readonly held: boolean;
}

export interface LoginFacts {
  readonly user: string | null;
  readonly groups: readonly string[];
  /** root, or sudo without a password. */
  readonly canSudo: boolean | null;
}

export interface CpuFacts {
  readonly model: string | null;
  readonly cores: number | null;
  /** cpufreq driver; null: no cpufreq (a virtual machine, or managed by the BIOS). */
  readonly driver: string | null;
  readonly governor: string | null;
  readonly minMhz: number | null;
  readonly maxMhz: number | null;
  readonly hardwareMaxMhz: number | null;
  /** Whether it may run above its base clock; null: not known. Absent in older records. */
  readonly boost?: boolean | null;
}

export interface GpuFacts {
  /** Full PCI address, for example 0000:03:00.0. */
  readonly bdf: string;
  /** Lower-case PCI device id without 0x, for example 56a0. */
  readonly deviceId: string;
  readonly name: string;
  readonly kind: "discrete" | "integrated";
  /** Kernel driver in use: i915, xe, or null when none is bound. */
  readonly driver: string | null;
  readonly vramMiB: number | null;
  /** Size and start of BAR 2, the window to VRAM. */
  readonly bar2MiB: number | null;
  readonly bar2Start: string | null;
  readonly resizableBar: "full" | "partial" | "off" | null;
  readonly above4g: boolean | null;
  readonly clock: GpuClockFacts | null;
  /** For example renderD128; null when the driver made none. Absent in older records. */
  readonly renderNode?: string | null;
  /** The link between the card and its slot. Absent in older records. */
  readonly link?: GpuLinkFacts | null;
  /** What slows the GPU right now, in the driver's words (pl1, thermal, …). Absent in older records. */
  readonly throttle?: readonly string[] | null;
  /** Of the graphics firmware on the card, for example DG02_1.3253, as xpu-smi tells it. Absent in older records. */
  readonly firmwareVersion?: string | null;
  /** The maker's name for it, as lspci knows it. Absent in older records. */
  readonly board?: string | null;
  /** Sustained power limit of the card; null when its driver shows none. Absent in older records. */
  readonly powerCapW?: number | null;
}

/**
 * Read at the upstream port of the card's own switch: the endpoint itself always says 2.5 GT/s x1
 * (Intel support article 000094587).
 */
export interface GpuLinkFacts {
  readonly speedGts: number | null;
  readonly width: number | null;
  readonly maxSpeedGts: number | null;
  readonly maxWidth: number | null;
}

export interface ComputeDevice {
  /** For example "Intel(R) Arc(TM) A770 Graphics". */
  readonly name: string;
  readonly memoryMiB: number | null;
}

export interface FirmwareFacts {
  /** For example "GuC i915/dg2_guc_70.bin 70.20.0". */
  readonly loaded: readonly string[];
  /** Lines of the log that speak of a failure. */
  readonly problems: readonly string[];
}

export interface GpuProcess {
  readonly pid: number;
  readonly command: string;
}

export interface GpuClockFacts {
  /** Folder of the frequency files under /sys. */
  readonly path: string;
  readonly minMhz: number | null;
  readonly maxMhz: number | null;
  /** Hardware window (RPn, RP0). */
  readonly floorMhz: number | null;
  readonly ceilingMhz: number | null;
}

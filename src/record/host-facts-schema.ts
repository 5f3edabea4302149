import { z } from "zod";

const text = z.string();
const count = z.int().nonnegative();
const optionalNumber = z.number().nullable();
const optionalText = z.string().nullable();
const texts = z.array(z.string());

const os = z.strictObject({ id: text, versionId: text, prettyName: text });

const kernel = z.strictObject({
  running: optionalText,
  installed: texts,
  grubDefault: optionalText,
  i915Path: optionalText,
  headers: z.boolean().nullable().exactOptional(),
  i915Loaded: z.enum(["dkms", "in-tree"]).nullable().exactOptional(),
});

const dkmsModule = z.strictObject({
  name: text,
  version: text,
  kernel: optionalText,
  state: z.enum(["added", "built", "installed"]),
  warning: optionalText,
});

const cpu = z.strictObject({
  model: optionalText,
  cores: optionalNumber,
  driver: optionalText,
  governor: optionalText,
  minMhz: optionalNumber,
  maxMhz: optionalNumber,
  hardwareMaxMhz: optionalNumber,
  boost: z.boolean().nullable().exactOptional(),
});

const gpuClock = z.strictObject({
  path: text,
  minMhz: optionalNumber,
  maxMhz: optionalNumber,
  floorMhz: optionalNumber,
  ceilingMhz: optionalNumber,
});

const gpuLink = z.strictObject({
  speedGts: optionalNumber,
  width: optionalNumber,
  maxSpeedGts: optionalNumber,
  maxWidth: optionalNumber,
});

const gpu = z.strictObject({
  bdf: text,
  deviceId: text,
  name: text,
  kind: z.enum(["discrete", "integrated"]),
  driver: optionalText,
  vramMiB: optionalNumber,
  bar2MiB: optionalNumber,
  bar2Start: optionalText,
  resizableBar: z.enum(["full", "partial", "off"]).nullable(),
  above4g: z.boolean().nullable(),
  clock: gpuClock.nullable(),
  renderNode: optionalText.exactOptional(),
  link: gpuLink.nullable().exactOptional(),
  throttle: texts.nullable().exactOptional(),
  firmwareVersion: optionalText.exactOptional(),
  board: optionalText.exactOptional(),
  powerCapW: optionalNumber.exactOptional(),
});

/** `HostFacts` as they stand in a record. */
export const factsSchema = z.strictObject({
  host: text,
  readAt: text,
  os: os.nullable(),
  arch: optionalText,
  bootId: optionalText,
  kernel,
  secureBoot: z.enum(["enabled", "disabled", "not-efi"]).nullable(),
  dkms: z.array(dkmsModule).nullable(),
  packages: z.record(text, z.strictObject({ version: text, held: z.boolean() })),
  login: z.strictObject({ user: optionalText, groups: texts, canSudo: z.boolean().nullable() }),
  cpu: cpu.nullable(),
  memoryMiB: optionalNumber,
  gpus: z.array(gpu),
  renderNodes: texts,
  docker: optionalText,
  xpuSmi: optionalText,
  gpuProcesses: z
    .array(z.strictObject({ pid: count, command: text }))
    .nullable()
    .exactOptional(),
  firmware: z.strictObject({ loaded: texts, problems: texts }).nullable().exactOptional(),
  computeDevices: z
    .array(z.strictObject({ name: text, memoryMiB: optionalNumber }))
    .nullable()
    .exactOptional(),
  autoUpgrades: z.boolean().nullable().exactOptional(),
  iommu: z.enum(["on", "passthrough", "off"]).nullable().exactOptional(),
  evidence: z.record(text, text),
  warnings: texts,
});

/** Configuration space of PCI functions, as `lspci` reads it from sysfs. Layout: PCI Express Base Specification, ch. 7. */

const MIB = 1024 ** 2;

export interface Endpoint {
  readonly device: number;
  readonly revision: number;
  readonly subsystem: number;
  readonly bar0: number;
  readonly bar2: number;
  readonly bar2MiB: number;
  readonly largestBar2MiB: number;
}

export interface Bridge {
  readonly device: number;
  readonly port: "root" | "upstream" | "downstream";
  /** Secondary and subordinate bus behind the bridge. */
  readonly buses: readonly [primary: number, secondary: number, subordinate: number];
  readonly linkGeneration: number;
  readonly linkWidth: number;
  readonly window: { readonly base: number; readonly limit: number };
}

/** An Arc card: reports PCIe 1.0 x1 whatever the slot, and carries the Physical Resizable BAR capability. */
export function endpointConfig(card: Endpoint): Buffer {
  const config = header({ device: card.device, revision: card.revision, classCode: 0x030000, headerType: 0 });
  config.writeUInt32LE((card.bar0 | 0x4) >>> 0, 0x10);
  config.writeBigUInt64LE(BigInt(card.bar2) | 0xcn, 0x18);
  config.writeUInt16LE(0x8086, 0x2c);
  config.writeUInt16LE(card.subsystem, 0x2e);

  config.set([0x09, 0x70, 0x0c, 0x00], 0x40);
  writePciExpress(config, 0x70, 0xac, { portType: 0, generation: 1, width: 1 });
  config.set([0x05, 0xd0, 0x81, 0x01], 0xac);
  config.set([0x01, 0x00, 0x03, 0x00], 0xd0);

  writeExtended(config, 0x100, { id: 0x0e, next: 0x420 });
  writeExtended(config, 0x420, { id: 0x15, next: 0x400 });
  // Bit n + 4 stands for 2^n MiB.
  config.writeUInt32LE((supportedSizes(card.largestBar2MiB) << 4) >>> 0, 0x424);
  // BAR index 2, one resizable BAR, and its current size as a power of two of MiB.
  config.writeUInt32LE(2 | (1 << 5) | (Math.log2(card.bar2MiB) << 8), 0x428);
  writeExtended(config, 0x400, { id: 0x18, next: 0 });
  return config;
}

/** A root port or one side of the switch on the card; its link is the one that counts. */
export function bridgeConfig(bridge: Bridge): Buffer {
  const config = header({ device: bridge.device, revision: 1, classCode: 0x060400, headerType: 1 });
  config.set(bridge.buses, 0x18);
  const { base, limit } = bridge.window;
  const above4g = base > 0xffff_ffff;
  config.writeUInt16LE((prefetchBits(base) | (above4g ? 1 : 0)) >>> 0, 0x24);
  config.writeUInt16LE((prefetchBits(limit) | (above4g ? 1 : 0)) >>> 0, 0x26);
  config.writeUInt32LE(Math.floor(base / 2 ** 32), 0x28);
  config.writeUInt32LE(Math.floor(limit / 2 ** 32), 0x2c);
  const portType = { root: 4, upstream: 5, downstream: 6 }[bridge.port];
  writePciExpress(config, 0x40, 0, { portType, generation: bridge.linkGeneration, width: bridge.linkWidth });
  return config;
}

/** Sizes a BAR may have, bit n for 2^n MiB, from 256 MiB up: the form of sysfs' `resource2_resize`. */
export function supportedSizes(largestMiB: number): number {
  let bits = 0;
  for (let exponent = 8; 2 ** exponent <= largestMiB; exponent += 1) bits |= 1 << exponent;
  return bits;
}

function header(parts: { device: number; revision: number; classCode: number; headerType: number }): Buffer {
  const config = Buffer.alloc(4096);
  config.writeUInt16LE(0x8086, 0x00);
  config.writeUInt16LE(parts.device, 0x02);
  config.writeUInt16LE(0x0407, 0x04);
  config.writeUInt16LE(0x0010, 0x06);
  config.writeUIntLE(parts.revision | (parts.classCode << 8), 0x08, 4);
  config[0x0c] = 0x10;
  config[0x0e] = parts.headerType;
  config[0x34] = 0x40;
  return config;
}

function writePciExpress(
  config: Buffer,
  at: number,
  next: number,
  link: { portType: number; generation: number; width: number },
): void {
  config.set([0x10, next, 0x02 | (link.portType << 4), 0x00], at);
  config.writeUInt32LE(link.generation | (link.width << 4), at + 0x0c);
  config.writeUInt16LE(link.generation | (link.width << 4), at + 0x12);
}

function writeExtended(config: Buffer, at: number, capability: { id: number; next: number }): void {
  config.writeUInt32LE((capability.id | (1 << 16) | (capability.next << 20)) >>> 0, at);
}

function prefetchBits(address: number): number {
  return Math.floor((address % 2 ** 32) / MIB) << 4;
}

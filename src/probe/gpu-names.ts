/** What an Intel GPU's PCI id says about it (compute-runtime: shared/source/dll/devices/devices_base.inl). */
export interface GpuModel {
  readonly name: string;
  readonly family: "alchemist" | "battlemage" | "ponte-vecchio";
  /** Null when cards of one id come in several sizes, or the size is not known. */
  readonly vramGib: number | null;
}

/** Null for integrated GPUs and for ids that are not in the table. */
export function gpuModel(deviceId: string): GpuModel | null {
  const row = ROWS.find(([ids]) => ids.split(" ").includes(deviceId));
  if (row === undefined) return null;
  return { name: row[1], family: row[2], vramGib: row[3] };
}

const ROWS: readonly (readonly [string, string, GpuModel["family"], number | null])[] = [
  // The A770 was sold with 8 and with 16 GB under one id.
  ["56a0", "Intel Arc A770", "alchemist", null],
  ["56a1", "Intel Arc A750", "alchemist", 8],
  ["56a2", "Intel Arc A580", "alchemist", 8],
  ["56a5", "Intel Arc A380", "alchemist", 6],
  ["56a6", "Intel Arc A310 LP", "alchemist", 4],
  ["56af", "Intel Arc A760A", "alchemist", null],
  ["5690", "Intel Arc A770M", "alchemist", null],
  ["5691", "Intel Arc A730M", "alchemist", null],
  ["5692", "Intel Arc A550M", "alchemist", null],
  ["56b0", "Intel Arc Pro A30M", "alchemist", null],
  ["56b1", "Intel Arc Pro A40/A50", "alchemist", null],
  ["56b2", "Intel Arc Pro A60M", "alchemist", null],
  ["56b3", "Intel Arc Pro A60", "alchemist", null],
  ["56ba", "Intel Arc A380E", "alchemist", null],
  ["56bb", "Intel Arc A310E", "alchemist", null],
  ["56bc", "Intel Arc A370E", "alchemist", null],
  ["56bd", "Intel Arc A350E", "alchemist", null],
  ["56be", "Intel Arc A750E", "alchemist", null],
  ["56bf", "Intel Arc A580E", "alchemist", null],
  ["56c0", "Intel Data Center GPU Flex 170", "alchemist", 16],
  ["56c1", "Intel Data Center GPU Flex 140", "alchemist", null],
  ["56c2", "Intel Data Center GPU Flex 170V", "alchemist", 16],
  ["e20b e209", "Intel Arc B580", "battlemage", 12],
  ["e20c", "Intel Arc B570", "battlemage", 10],
  ["e211", "Intel Arc Pro B60", "battlemage", 24],
  ["e212", "Intel Arc Pro B50", "battlemage", 16],
  ["e222", "Intel Arc Pro B65", "battlemage", 32],
  ["e223", "Intel Arc Pro B70", "battlemage", 32],
  ["e202 e20d e210 e216 e220 e221", "Intel Arc B-series", "battlemage", null],
  ["0bd5", "Intel Data Center GPU Max 1550", "ponte-vecchio", 128],
  ["0bda 0bdb", "Intel Data Center GPU Max 1100", "ponte-vecchio", 48],
];

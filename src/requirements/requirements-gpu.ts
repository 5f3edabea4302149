import { gpuModel } from "../probe/gpu-names.ts";
import type { GpuFacts, HostFacts } from "../probe/host-facts.ts";
import { discreteGpus, type GpuRule, gpuEvidence, type HostRule } from "./requirement.ts";

const POWER_CYCLE = "then switch the host off and on again (a reset is not enough)";

export const gpuPresent: HostRule = {
  scope: "host",
  want: null,
  judge(facts) {
    const cards = discreteGpus(facts);
    const integrated = facts.gpus.length - cards.length;
    const beside = integrated > 0 ? ` beside ${integrated} integrated` : "";
    return {
      holds: cards.length > 0,
      found: cards.length > 0 ? `${cards.map(({ name }) => name).join(", ")}${beside}` : `no card${beside}`,
      wanted: "an Intel Arc or Data Center GPU",
      evidence: facts.evidence["gpus"] ?? null,
      remedy: "Check the card's seat and power connectors, and that the BIOS lists it; or choose another host",
    };
  },
};

/** A-series cards are driven by i915, B-series by xe: other kernels, packages and images. */
export const gpuFamily: GpuRule = {
  scope: "gpu",
  want: "a family: alchemist (A-series), battlemage (B-series) or ponte-vecchio",
  judge(facts, want, gpu) {
    const family = gpuModel(gpu.deviceId)?.family ?? null;
    const bSeries = family === "battlemage";
    return {
      holds: family === null ? null : family === want,
      found: family === null ? `${gpu.name}, a model of unknown family` : `${gpu.name} (${family})`,
      wanted: want,
      evidence: gpuEvidence(facts, gpu),
      remedy: bSeries
        ? "B-series needs the xe driver of kernel 6.11 or later, which Ubuntu 22.04 does not have: use Ubuntu 24.04 with the playbook ubuntu-24.04-bmg"
        : `Use a playbook for this card instead of one for ${want}`,
    };
  },
};

export const resizableBar: GpuRule = {
  scope: "gpu",
  want: null,
  judge(facts, _want, gpu) {
    const mapped = gpu.bar2MiB === null ? "nothing" : `${gpu.bar2MiB} MiB`;
    return {
      holds: gpu.resizableBar === null ? null : gpu.resizableBar === "full",
      found: `${gpu.resizableBar ?? "unknown"}: the CPU sees ${mapped} of ${gpu.vramMiB ?? "unknown"} MiB`,
      wanted: "full",
      evidence: gpuEvidence(facts, gpu),
      remedy:
        gpu.resizableBar === null
          ? "Install xpu-smi, or let the kernel log be read, so that the memory size is known"
          : `In the BIOS set "Above 4G Decoding" and "Re-Size BAR Support" to Enabled and CSM off, ${POWER_CYCLE}`,
    };
  },
};

export const above4g: GpuRule = {
  scope: "gpu",
  want: null,
  judge: (facts, _want, gpu) => ({
    holds: gpu.above4g,
    found: gpu.bar2Start === null ? "BAR 2 has no address" : `BAR 2 starts at ${gpu.bar2Start}`,
    wanted: "at or above 0x100000000",
    evidence: gpuEvidence(facts, gpu),
    remedy: `In the BIOS set "Above 4G Decoding" to Enabled, ${POWER_CYCLE}`,
  }),
};

export const gpuDriver: GpuRule = {
  scope: "gpu",
  want: "a kernel driver: i915 or xe",
  judge: (facts, want, gpu) => ({
    holds: gpu.driver === want,
    found: gpu.driver ?? "no driver",
    wanted: want,
    evidence: gpuEvidence(facts, gpu),
    remedy: `Look for ${want} in the kernel log (dmesg); force_probe is only for ids the kernel does not know`,
  }),
};

export const renderNode: GpuRule = {
  scope: "gpu",
  want: null,
  judge: (facts, _want, gpu) => ({
    holds: gpu.renderNode === undefined ? null : gpu.renderNode !== null,
    found: gpu.renderNode ? `/dev/dri/${gpu.renderNode}` : "no render node",
    wanted: "a /dev/dri/renderD node",
    evidence: facts.evidence["render-nodes"] ?? null,
    remedy: `The driver (${gpu.driver ?? "none"}) made no device for the card: read dmesg for i915, xe and firmware errors`,
  }),
};

/** Whether the window is closed as asked. Values are clamped to what the hardware has, as the tuning script does. */
export const gpuClock: GpuRule = {
  scope: "gpu",
  want: 'a window in MHz: "min-max"',
  judge(facts, want, gpu) {
    const clock = gpu.clock;
    const [min, max] = want.split("-").map((mhz) => clamp(Number(mhz), gpu));
    const known = clock !== null && clock.minMhz !== null && clock.maxMhz !== null;
    return {
      holds: known ? clock.minMhz === min && clock.maxMhz === max : null,
      found: known ? `${clock.minMhz}-${clock.maxMhz} MHz` : "no frequency files",
      wanted: `${min}-${max} MHz`,
      evidence: clock === null ? gpuEvidence(facts, gpu) : `${clock.path}: ${clock.minMhz}-${clock.maxMhz} MHz`,
      remedy: "Apply the playbook: it sets the clocks at every boot. On 2.x, xpu-smi refuses a window of one value",
    };
  },
};

/** The card's real link. A card at half its width copies between cards at half speed. */
export const pcieLink: GpuRule = {
  scope: "gpu",
  want: null,
  judge(facts, _want, gpu) {
    const link = gpu.link ?? null;
    const known = link !== null && link.width !== null && link.speedGts !== null;
    const full = known && link.width === (link.maxWidth ?? link.width) && link.speedGts >= (link.maxSpeedGts ?? 0);
    return {
      holds: known ? full : null,
      found: known ? `${link.speedGts} GT/s x${link.width}` : "not readable above the card",
      wanted: known
        ? `${link.maxSpeedGts ?? link.speedGts} GT/s x${link.maxWidth ?? link.width}`
        : "the card's full link",
      evidence: gpuEvidence(facts, gpu),
      remedy: known
        ? "Move the card to a slot wired to the CPU with its full width, without a riser"
        : "In a virtual machine look at the link on the machine below",
    };
  },
};

export const noThrottling: GpuRule = {
  scope: "gpu",
  want: null,
  judge: (facts, _want, gpu) => ({
    holds: gpu.throttle == null ? null : gpu.throttle.length === 0,
    found: gpu.throttle == null ? "not readable" : gpu.throttle.join(", ") || "none",
    wanted: "none",
    evidence: gpuEvidence(facts, gpu),
    remedy: gpu.throttle?.some((reason) => /thermal|prochot|ratl|temperature/i.test(reason))
      ? "The card is too hot: check its fans and the air in the case"
      : "The card is at its power limit: raise the limit, or lower the clocks",
  }),
};

/** A card that the kernel drives is of no use to a program that cannot open it, or whose driver refuses it. */
export const computeDevices: HostRule = {
  scope: "host",
  want: null,
  judge(facts) {
    const devices = facts.computeDevices ?? null;
    const cards = discreteGpus(facts).length;
    const refused = facts.warnings.find((warning) => /(Resizable BAR not|Small BAR) detected/.test(warning));
    return {
      holds: devices === null ? null : devices.length >= cards,
      found: devices === null ? "not known" : devices.map(({ name }) => name).join(", ") || "none",
      wanted: `as many as cards (${cards})`,
      evidence: facts.evidence["compute-devices"] ?? null,
      remedy:
        devices === null
          ? "Install clinfo with intel-opencl-icd; a server in a container brings its own driver"
          : refused !== undefined
            ? "The xe driver's user mode refuses a card without Resizable BAR: enable it in the BIOS"
            : "Check that the user is in the group render (after a new login), and that libze-intel-gpu1 (or intel-level-zero-gpu) and intel-opencl-icd are installed",
    };
  },
};

/** Both drivers number cards: with integrated graphics enabled, card 0 need not be the Arc card. */
export const noHybrid: HostRule = {
  scope: "host",
  want: null,
  judge(facts) {
    const integrated = facts.gpus.filter((gpu) => gpu.kind === "integrated");
    return {
      holds: integrated.length === 0 || discreteGpus(facts).length === 0,
      found: integrated.length === 0 ? "cards only" : `${integrated.map(({ bdf }) => bdf).join(", ")} beside the cards`,
      wanted: "no integrated GPU beside the cards",
      evidence: facts.evidence["gpus"] ?? null,
      remedy: "Disable integrated graphics in the BIOS, or choose cards by number in serve.cards",
    };
  },
};

export const noGpuProcesses: HostRule = {
  scope: "host",
  want: null,
  judge(facts: HostFacts) {
    const running = facts.gpuProcesses ?? null;
    return {
      holds: running === null ? null : running.length === 0,
      found:
        running === null ? "not known" : running.map(({ pid, command }) => `${command} (${pid})`).join(", ") || "none",
      wanted: "none",
      evidence: facts.evidence["gpu-processes"] ?? null,
      remedy:
        running === null ? "Allow sudo without a password, so that all processes show" : "Stop these processes first",
    };
  },
};

function clamp(mhz: number, gpu: GpuFacts): number {
  const { floorMhz, ceilingMhz } = gpu.clock ?? { floorMhz: null, ceilingMhz: null };
  return Math.max(floorMhz ?? mhz, Math.min(ceilingMhz ?? mhz, mhz));
}

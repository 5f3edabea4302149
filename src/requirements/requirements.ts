import type { Rule } from "./requirement.ts";
import {
  above4g,
  computeDevices,
  gpuClock,
  gpuDriver,
  gpuFamily,
  gpuPresent,
  noGpuProcesses,
  noHybrid,
  noThrottling,
  pcieLink,
  renderNode,
  resizableBar,
} from "./requirements-gpu.ts";
import {
  bootsRunningKernel,
  cpuGovernor,
  dkmsModule,
  firmwareLoaded,
  i915FromDkms,
  kernelAtLeast,
  kernelHeaders,
  kernelRelease,
  loginGroups,
  noAutoUpgrades,
  noFloatingKernel,
  secureBootOff,
  supportedOs,
} from "./requirements-host.ts";

/** Everything that `assert: { that: … }` can ask for. A verdict comes with its evidence and a remedy. */
export const REQUIREMENTS = {
  "supported-os": supportedOs,
  "gpu-present": gpuPresent,
  "gpu-family": gpuFamily,
  "resizable-bar": resizableBar,
  "above-4g": above4g,
  "secure-boot-off": secureBootOff,
  "kernel-release": kernelRelease,
  "kernel-at-least": kernelAtLeast,
  "boots-running-kernel": bootsRunningKernel,
  "kernel-headers": kernelHeaders,
  "dkms-module": dkmsModule,
  "i915-from-dkms": i915FromDkms,
  "firmware-loaded": firmwareLoaded,
  "gpu-driver": gpuDriver,
  "render-node": renderNode,
  "login-groups": loginGroups,
  "cpu-governor": cpuGovernor,
  "gpu-clock": gpuClock,
  "pcie-link": pcieLink,
  "no-throttling": noThrottling,
  "compute-devices": computeDevices,
  "no-gpu-processes": noGpuProcesses,
  "no-hybrid-graphics": noHybrid,
  "no-floating-kernel": noFloatingKernel,
  "no-auto-upgrades": noAutoUpgrades,
} as const satisfies Record<string, Rule>;

export type RequirementName = keyof typeof REQUIREMENTS;

export function requirement(name: string): Rule | null {
  return Object.hasOwn(REQUIREMENTS, name) ? REQUIREMENTS[name as RequirementName] : null;
}

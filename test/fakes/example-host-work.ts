import type { HostPlan, PlannedStep } from "../../src/plan/host-plan.ts";
import type { ProvisionRecord, StepOutcome } from "../../src/provision/provision-record.ts";

/** What the check of a host in the usual bad state finds: one of each status. */
export function examplePlan(overrides: Partial<HostPlan> = {}): HostPlan {
  return {
    host: "arc-01",
    playbook: "ubuntu-22.04-a770",
    needsReboot: true,
    steps: [
      plannedStep({ name: "Ubuntu 22.04", kind: "assert", before: "Ubuntu 22.04.4 LTS", after: "22.04" }),
      plannedStep({
        name: "Kernel 6.5.0-35",
        kind: "kernel",
        status: "would-change",
        before: "6.8.0-45-generic",
        after: "6.5.0-35-generic",
        evidence: "uname -r: 6.8.0-45-generic",
      }),
      plannedStep({
        name: "Resizable BAR on every card",
        kind: "assert",
        status: "failed",
        before: "BAR 2 of 0000:07:00.0 is 256 MiB",
        after: "at least 16384 MiB",
        evidence: "Region 2: Memory at 4000000000 (64-bit, prefetchable) [size=256M]",
        remedy: "Switch on Above 4G Decoding and Resizable BAR in the BIOS, then start the host again",
      }),
      plannedStep({
        name: "GPU clocks at 2400 MHz",
        kind: "sysfs",
        status: "blocked",
        remedy: 'Needs "Kernel 6.5.0-35" first',
      }),
    ],
    ...overrides,
  };
}

function plannedStep(overrides: Partial<PlannedStep>): PlannedStep {
  return {
    name: "step",
    kind: "assert",
    status: "ok",
    before: null,
    after: null,
    evidence: null,
    remedy: null,
    ...overrides,
  };
}

export function exampleProvision(overrides: Partial<ProvisionRecord> = {}): ProvisionRecord {
  return {
    host: "arc-01",
    playbook: "ubuntu-22.04-a770",
    reboots: 1,
    converged: true,
    durationMs: 412_000,
    steps: [
      stepOutcome({ name: "Ubuntu 22.04", kind: "assert" }),
      stepOutcome({
        name: "Kernel 6.5.0-35",
        kind: "kernel",
        status: "changed",
        before: "6.8.0-45-generic",
        after: "6.5.0-35-generic",
        durationMs: 185_400,
      }),
    ],
    ...overrides,
  };
}

export function stepOutcome(overrides: Partial<StepOutcome>): StepOutcome {
  return {
    name: "step",
    kind: "apt",
    status: "ok",
    before: null,
    after: null,
    output: null,
    remedy: null,
    durationMs: 200,
    ...overrides,
  };
}

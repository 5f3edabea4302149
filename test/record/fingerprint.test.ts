import { describe, expect, it } from "vitest";
import { differingFields, fingerprintOf } from "../../src/record/fingerprint.ts";
import type { RunRecord } from "../../src/record/run-record.ts";
import {
  exampleDeployment,
  exampleFacts,
  exampleGpu,
  examplePoint,
  exampleRecord,
  exampleWorkload,
} from "../fakes/example-record.ts";

function changed(overrides: Partial<RunRecord>) {
  const before = exampleRecord().fingerprint;
  const after = exampleRecord(overrides).fingerprint;
  if (before === null || after === null) throw new Error("both records have a deployment");
  return {
    hard: differingFields(before.hardFields, after.hardFields).map((d) => `${d.field}: ${d.baseline} -> ${d.current}`),
    soft: differingFields(before.softFields, after.softFields).map((d) => `${d.field}: ${d.baseline} -> ${d.current}`),
    sameHard: before.hard === after.hard,
    sameSoft: before.soft === after.soft,
  };
}

describe("fingerprintOf()", () => {
  it("is the same for the same parts, and null when nothing was served", () => {
    expect(exampleRecord().fingerprint).toEqual(exampleRecord().fingerprint);
    expect(exampleRecord().fingerprint?.hard).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(fingerprintOf(exampleRecord({ deployment: null }))).toBeNull();
  });

  const hard: { name: string; overrides: Partial<RunRecord>; want: string }[] = [
    {
      name: "an engine flag",
      overrides: {
        deployment: exampleDeployment({ argv: ["--max-num-seqs", "24", "--model", "/m/Meta-Llama-3.1-8B-Instruct"] }),
      },
      want: "flag max-num-seqs: 12 -> 24",
    },
    {
      name: "the tensor parallel size",
      overrides: { deployment: exampleDeployment({ tensorParallel: 2 }) },
      want: "tensor parallel: 1 -> 2",
    },
    {
      name: "an engine variable",
      overrides: { deployment: exampleDeployment({ env: { USE_XETLA: "ON" } }) },
      want: "env USE_XETLA: OFF -> ON",
    },
    {
      name: "the number of cards",
      overrides: { facts: exampleFacts({ gpus: [exampleGpu(), exampleGpu()] }) },
      want: "gpus: 56a0/16GiB -> 56a0/16GiB 56a0/16GiB",
    },
    {
      name: "the memory of a card",
      overrides: { facts: exampleFacts({ gpus: [exampleGpu({ vramMiB: 8096 })] }) },
      want: "gpus: 56a0/16GiB -> 56a0/8GiB",
    },
    {
      name: "the shape of a workload",
      overrides: { workloads: [exampleWorkload({ inputTokens: 32 })] },
      want: "workload chat: inputTokens: 1024 -> 32",
    },
    {
      name: "the levels of a workload",
      overrides: { workloads: [exampleWorkload({ concurrency: [1, 12] })] },
      want: "workload chat: concurrency: 12 -> 1,12",
    },
    { name: "a simulated host", overrides: { simulated: true }, want: "simulated: false -> true" },
  ];
  it.each(hard)("$name is hard", ({ overrides, want }) => {
    expect(changed(overrides).hard).toContain(want);
    expect(changed(overrides).sameHard).toBe(false);
  });

  const soft: { name: string; overrides: Partial<RunRecord>; want: string }[] = [
    {
      name: "the kernel",
      overrides: { facts: exampleFacts({ kernel: { ...exampleFacts().kernel, running: "6.8.0-45-generic" } }) },
      want: "kernel: 6.5.0-35-generic -> 6.8.0-45-generic",
    },
    {
      name: "the engine version",
      overrides: { deployment: exampleDeployment({ engineVersion: "0.9.0" }) },
      want: "engine version: 0.8.3 -> 0.9.0",
    },
    {
      name: "Resizable BAR",
      overrides: { facts: exampleFacts({ gpus: [exampleGpu({ resizableBar: "off" })] }) },
      want: "gpu 0000:03:00.0 resizable BAR: full -> off",
    },
    {
      name: "a GPU clock window",
      overrides: { facts: exampleFacts({ gpus: [exampleGpu({ clock: null })] }) },
      want: "gpu 0000:03:00.0 clock: 2400 to 2400 MHz -> none",
    },
    { name: "the host", overrides: { host: "arc-02" }, want: "host: arc-01 -> arc-02" },
  ];
  it.each(soft)("$name is soft", ({ overrides, want }) => {
    expect(changed(overrides)).toMatchObject({ hard: [], soft: [want], sameHard: true, sameSoft: false });
  });

  it("ignores the address, the name, secrets, the order and the spelling of flags", () => {
    const { argv } = exampleDeployment();
    const spelled = [...argv.slice(0, 3), "--tensor-parallel-size=1", "--port=9000", ...argv.slice(3, -2)];
    const deployment = exampleDeployment({
      argv: spelled.map((word) => (word === "Llama-3.1-8B" ? "other-name" : word)),
      env: { ...exampleDeployment().env, HF_TOKEN: "hf_x" },
    });
    expect(changed({ deployment })).toMatchObject({ hard: [], sameHard: true });
  });

  it("repeats and time-outs may change: they say how well, not what is measured", () => {
    expect(changed({ workloads: [exampleWorkload({ repeats: 5, totalTimeoutMs: 1 })] }).hard).toEqual([]);
  });

  it("other prompts are another recipe; more repeats of the same prompts are not", () => {
    const measured = (digest: string, repeats: number) =>
      Array.from({ length: repeats }, (_, repeat) => examplePoint({ repeat, promptsSha256: `${digest}${repeat}` }));
    const [a, b, longer] = [measured("a", 3), measured("b", 3), measured("a", 5)].map(
      (points) => exampleRecord({ points }).fingerprint?.hard,
    );
    expect(a).not.toBe(b);
    expect(longer).toBe(a);
  });

  it("takes the model of `vllm serve` from its place, by the last part of its path", () => {
    const vllm = exampleDeployment({
      engine: "vllm",
      argv: ["vllm", "serve", "/data/models/opt-125m/", "--dtype", "float16"],
    });
    expect(exampleRecord({ deployment: vllm }).fingerprint?.hardFields).toMatchObject({
      model: "opt-125m",
      "flag dtype": "float16",
    });
  });
});

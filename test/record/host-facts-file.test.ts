import { describe, expect, it } from "vitest";
import { hostFactsFile, hostFactsFileSchema } from "../../src/record/host-facts-file.ts";
import { exampleRecord } from "../fakes/example-record.ts";
import { goodFacts, goodGpu } from "../fakes/host-facts.ts";

const origin = { toolVersion: "1.2.3", simulated: false };

describe("hostFactsFile()", () => {
  it("is what its schema says, with the evidence", () => {
    const file = JSON.parse(JSON.stringify(hostFactsFile(goodFacts(), origin)));
    expect(hostFactsFileSchema.parse(file)).toEqual(file);
    expect(file).toMatchObject({
      ...{ schema: "arc-vllm/host-facts/v1", toolVersion: "1.2.3" },
      facts: { evidence: { kernel: "6.5.0-35-generic" } },
    });
  });

  it("holds every field of a run's fingerprint that comes from the host, with the same value", () => {
    const record = exampleRecord();
    if (record.facts === null) throw new Error("the example has facts");
    const { hardFields, softFields } = hostFactsFile(record.facts, origin).fingerprint;
    expect(record.fingerprint?.hardFields).toMatchObject(hardFields);
    expect(record.fingerprint?.softFields).toMatchObject(softFields);
  });

  it("says what decides how fast a card is", () => {
    const facts = goodFacts({ iommu: "passthrough", gpus: [goodGpu({ powerCapW: 190 })] });
    expect(hostFactsFile(facts, origin).fingerprint).toMatchObject({
      hardFields: { gpus: "56a0/16GiB" },
      softFields: {
        kernel: "6.5.0-35-generic",
        dkms: "intel-i915-dkms/1.24.2.17.240301.20",
        "cpu governor": "performance",
        iommu: "passthrough",
        "gpu firmware": "GuC i915/dg2_guc_70.bin 70.20.0",
        "gpu 0000:03:00.0 link width": 16,
        "gpu 0000:03:00.0 power cap": "190 W",
        "gpu 0000:03:00.0 clock": "2400 to 2400 MHz",
        "gpu 0000:03:00.0 resizable BAR": "full",
      },
    });
  });
});

import { describe, expect, it } from "vitest";
import { climbLoads, LOAD_LADDER, trustedLoad } from "../../src/trust/climb-loads.ts";
import { exampleCertificate } from "../fakes/example-certificate.ts";

/** A client that is wrong at the loads with these numbers. */
function climb(wrongAt: readonly number[]) {
  return climbLoads(LOAD_LADDER, async (load) =>
    exampleCertificate({ load, problems: wrongAt.includes(LOAD_LADDER.indexOf(load)) ? ["late"] : [] }),
  );
}

describe("climbLoads()", () => {
  it.each([
    { title: "to the top with a client that is always right", wrongAt: [], tried: 8, trusted: 1024 },
    { title: "past a single load that something else disturbed", wrongAt: [0, 3], tried: 8, trusted: 1024 },
    { title: "until two loads in a row are not followed", wrongAt: [4, 5], tried: 6, trusted: 64 },
    { title: "not far with a client that is never right", wrongAt: [0, 1], tried: 2, trusted: null },
  ])("goes $title", async ({ wrongAt, tried, trusted }) => {
    const checks = await climb(wrongAt);
    expect(checks).toHaveLength(tried);
    expect(trustedLoad(checks)?.streams ?? null).toBe(trusted);
  });
});

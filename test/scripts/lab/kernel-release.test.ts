import { describe, expect, it } from "vitest";
import { withRelease } from "../../../scripts/lab/image/kernel-release.ts";

/** Where a kernel has its release: in a banner, in module information, and in the two utsname fields. */
function kernel(release: string, fields = 2): Buffer {
  const field = Buffer.alloc(65);
  field.write(release);
  const mentions = Buffer.from(`Linux version ${release} (gcc) #1\0${release} mod_unload\0`);
  return Buffer.concat([mentions, ...Array.from({ length: fields }, () => field), Buffer.from("end")]);
}

describe("withRelease()", () => {
  it("changes what uname says and leaves size and other mentions alone", () => {
    const changed = withRelease(kernel("6.1.176"), "6.5.0-35-generic");
    expect(changed).toHaveLength(kernel("6.1.176").length);
    expect(changed.toString().match(/6\.5\.0-35-generic\0/g)).toHaveLength(2);
    expect(changed.toString()).toContain("Linux version 6.1.176 (gcc)");
    expect(changed.toString().endsWith("end")).toBe(true);
  });

  it("refuses a kernel that does not have the two fields", () => {
    expect(() => withRelease(kernel("6.1.176", 1), "6.5.0-35-generic")).toThrow("found 1 utsname fields");
  });

  it("refuses a release that does not fit", () => {
    expect(() => withRelease(kernel("6.1.176"), "6".repeat(65))).toThrow("too long");
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/record/canonical-json.ts";

describe("canonicalJson()", () => {
  it("sorts keys at every depth and leaves out what is undefined", () => {
    expect(canonicalJson({ b: [1, { z: null, a: "ü" }], a: true, c: undefined })).toBe(
      '{"a":true,"b":[1,{"a":"ü","z":null}]}',
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, () => 1, undefined])("refuses %s", (value) => {
    expect(() => canonicalJson([value])).toThrow(TypeError);
  });

  it("is one text per value: it parses back, and the order of keys does not matter", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        // JSON has no negative zero.
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

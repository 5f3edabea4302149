import { describe, expect, it } from "vitest";
import { streamOfId, streamOfText } from "../../bench/client/claim.ts";

describe("streamOfId()", () => {
  it.each([
    ["chatcmpl-12-0-4279812452993", 12],
    ["cmpl-3-9-1", 3],
    ["chatcmpl-abc", null],
    [null, null],
  ])("reads %s as %s", (id, stream) => {
    expect(streamOfId(id)).toBe(stream);
  });
});

describe("streamOfText()", () => {
  it.each([
    [" w12 w0 w3", 12],
    [" w234 w1 w3", 1234],
    ["w5 w0", 5],
    [" ä你", null],
    ["", null],
  ])("reads %j as %s", (text, stream) => {
    expect(streamOfText(text)).toBe(stream);
  });
});

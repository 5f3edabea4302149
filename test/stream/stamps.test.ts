import { describe, expect, it } from "vitest";
import { stampArchive, stampLog } from "../../src/stream/stamps.ts";

describe("stampArchive()", () => {
  it("keeps what a log held, however long it was and whatever becomes of the log", () => {
    const archive = stampArchive();
    const log = stampLog();
    const lengths = [3, 0, 1000, 70_000, 5, 60_000, 60_000];
    const kept = lengths.map((length, answer) => {
      log.clear();
      for (let at = 0; at < length; at += 1) log.push(answer * 1e6 + at + 0.5);
      return log.keptIn(archive);
    });
    expect(kept.map((stamps) => stamps.length)).toEqual(lengths);
    for (const [answer, stamps] of kept.entries()) {
      expect(stamps.every((ms, at) => ms === answer * 1e6 + at + 0.5)).toBe(true);
    }
  });
});

import { describe, expect, it } from "vitest";
import {
  chooseBoot,
  parseGrubDefaults,
  parseGrubEnv,
  ROOT_UUID,
  renderGrubConfig,
  renderGrubEnv,
} from "../../src/sim-machine/grub.ts";

const RELEASES = ["6.8.0-45-generic", "6.5.0-35-generic"];
const OLD = `gnulinux-advanced-${ROOT_UUID}>gnulinux-6.5.0-35-generic-advanced-${ROOT_UUID}`;

describe("chooseBoot()", () => {
  it.each([
    { name: "the newest kernel by default", setting: "0", env: {}, want: "6.8.0-45-generic" },
    { name: "an entry by position", setting: "1>2", env: {}, want: "6.5.0-35-generic" },
    {
      name: "an entry by title",
      setting: "Advanced options for Ubuntu>Ubuntu, with Linux 6.5.0-35-generic",
      env: {},
      want: "6.5.0-35-generic",
    },
    { name: "the saved entry", setting: "saved", env: { saved_entry: OLD }, want: "6.5.0-35-generic" },
    { name: "the first entry when nothing was saved", setting: "saved", env: {}, want: "6.8.0-45-generic" },
    { name: "a one-time entry before all others", setting: "0", env: { next_entry: OLD }, want: "6.5.0-35-generic" },
    { name: "the first entry when the wanted one is gone", setting: "no such", env: {}, want: "6.8.0-45-generic" },
  ])("boots $name", ({ setting, env, want }) => {
    const config = renderGrubConfig(RELEASES, { GRUB_DEFAULT: setting });
    expect(chooseBoot(config, env)?.release).toBe(want);
  });

  it("hands the kernel the words of the last drop-in", () => {
    const settings = parseGrubDefaults([
      'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"',
      'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT panic=30"',
    ]);
    const choice = chooseBoot(renderGrubConfig(RELEASES, settings), {});
    expect(choice?.commandLine).toMatch(/^BOOT_IMAGE=\/boot\/vmlinuz-6\.8\.0-45-generic .* quiet splash panic=30$/);
  });
});

describe("renderGrubEnv()", () => {
  it("fills a block of 1024 bytes that reads back the same", () => {
    const text = renderGrubEnv({ saved_entry: OLD });
    expect(text).toHaveLength(1024);
    expect(parseGrubEnv(text)).toEqual({ saved_entry: OLD });
  });
});

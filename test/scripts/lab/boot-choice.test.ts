import { describe, expect, it } from "vitest";
import { chooseBoot, formatEnvironment, parseEnvironment } from "../../../scripts/lab/machine/boot-choice.ts";

const entry = (title: string, id: string, release: string, args = "ro quiet") =>
  `menuentry '${title}' --class os $menuentry_id_option '${id}' {
	load_video
	if [ x$grub_platform = xxen ]; then insmod xzio; fi
	linux	/boot/vmlinuz-${release} root=/dev/ubda ${args}
	initrd	/boot/initrd.img-${release}
}`;

/** The shape that grub-mkconfig 2.06 gives grub.cfg: the newest kernel on top, all of them in a submenu. */
const grubCfg = (defaultEntry: string) => `
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="${defaultEntry}"
fi
function savedefault {
  if [ -z "\${boot_once}" ]; then
    save_env saved_entry
  fi
}
${entry("Ubuntu", "gnulinux-simple-U", "6.8.0-45-generic")}
submenu 'Advanced options for Ubuntu' $menuentry_id_option 'gnulinux-advanced-U' {
${entry("Ubuntu, with Linux 6.8.0-45-generic", "gnulinux-6.8.0-45-generic-advanced-U", "6.8.0-45-generic")}
${entry("Ubuntu, with Linux 6.5.0-35-generic", "gnulinux-6.5.0-35-generic-advanced-U", "6.5.0-35-generic", "ro panic=30")}
}
`;

/** What grub-mkconfig writes for GRUB_DEFAULT=saved. */
const SAVED = `\${saved_entry}`;
const PINNED = "gnulinux-advanced-U>gnulinux-6.5.0-35-generic-advanced-U";
const environment = (values: Record<string, string>) => new Map(Object.entries(values));

describe("chooseBoot()", () => {
  it.each([
    { name: "the first entry by default", cfg: "0", env: {}, release: "6.8.0-45-generic" },
    { name: "an index into a submenu", cfg: "1>1", env: {}, release: "6.5.0-35-generic" },
    {
      name: "titles",
      cfg: "Advanced options for Ubuntu>Ubuntu, with Linux 6.5.0-35-generic",
      env: {},
      release: "6.5.0-35-generic",
    },
    { name: "the saved entry by id", cfg: SAVED, env: { saved_entry: PINNED }, release: "6.5.0-35-generic" },
    { name: "the first entry when nothing is saved", cfg: SAVED, env: {}, release: "6.8.0-45-generic" },
    {
      name: "the first entry when the saved one is gone",
      cfg: SAVED,
      env: { saved_entry: "gone" },
      release: "6.8.0-45-generic",
    },
    { name: "the first of a submenu that is named alone", cfg: "1", env: {}, release: "6.8.0-45-generic" },
    {
      name: "the one-time entry before all others",
      cfg: "0",
      env: { next_entry: PINNED },
      release: "6.5.0-35-generic",
    },
  ])("boots $name", ({ cfg, env, release }) => {
    expect(chooseBoot(grubCfg(cfg), environment(env)).entry.kernel).toBe(`/boot/vmlinuz-${release}`);
  });

  it("forgets the one-time entry and keeps everything else", () => {
    const before = environment({ saved_entry: "0", next_entry: PINNED });
    const { environment: after, entry: chosen } = chooseBoot(grubCfg(SAVED), before);
    expect(Object.fromEntries(after)).toEqual({ saved_entry: "0" });
    expect(chosen.arguments).toEqual(["root=/dev/ubda", "ro", "panic=30"]);
  });

  it("refuses an empty menu", () => {
    expect(() => chooseBoot("set default=0", new Map())).toThrow("no menu entry");
  });
});

describe("formatEnvironment()", () => {
  it("fills the block that GRUB overwrites in place", () => {
    const block = formatEnvironment(environment({ saved_entry: PINNED, next_entry: "1>2" }));
    expect(block).toHaveLength(1024);
    expect(Object.fromEntries(parseEnvironment(block))).toEqual({ saved_entry: PINNED, next_entry: "1>2" });
  });
});

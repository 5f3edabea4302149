import { type FactReader, read } from "./fact-reader.ts";

export interface GrubReading {
  /** Release that GRUB boots next; null when its files do not say. */
  readonly release: string | null;
  /** GRUB_DEFAULT as grub-mkconfig sees it. */
  readonly setting: string | null;
  readonly savedEntry: string | null;
  readonly nextEntry: string | null;
  /** Every bootable entry, in menu order. */
  readonly entries: readonly GrubEntry[];
}

export interface GrubEntry {
  /** What `grub-set-default` takes: ids (or titles) from the outermost menu inwards, joined by ">". */
  readonly id: string;
  readonly title: string;
  readonly release: string | null;
}

/** What GRUB boots next. A one-time entry wins over the default, as in 00_header of grub 2.06. */
export const grubDefault: FactReader<GrubReading> = {
  name: "grub-default",
  script: `
echo '[env]'
grub-editenv - list 2>/dev/null
echo '[config]'
for f in "$ARC_ROOT/etc/default/grub" "$ARC_ROOT"/etc/default/grub.d/*.cfg; do
  [ -r "$f" ] && grep -E '^[[:space:]]*(export )?GRUB_DEFAULT=' "$f"
done
echo '[menu]'
grep -E "^[[:space:]]*(menuentry|submenu|linux|})" "$ARC_ROOT/boot/grub/grub.cfg"
true`,
  parse({ text }) {
    const parts = new Map(text.split(/^\[(?=env\]|config\]|menu\])/m).map((part) => splitHead(part)));
    const env = (name: string) => new RegExp(`^${name}=(.+)$`, "m").exec(parts.get("env") ?? "")?.[1]?.trim() || null;
    const settings = [...(parts.get("config") ?? "").matchAll(/GRUB_DEFAULT=(.*)$/gm)];
    const setting =
      settings
        .at(-1)?.[1]
        ?.trim()
        .replace(/^(["'])(.*)\1$/, "$2") ?? null;
    const menu = parseMenu(parts.get("menu") ?? "");
    const reading = { setting, savedEntry: env("saved_entry"), nextEntry: env("next_entry"), entries: bootable(menu) };
    const wanted = reading.nextEntry ?? (setting === "saved" ? (reading.savedEntry ?? "0") : (setting ?? "0"));
    const entry = resolveEntry(menu, wanted);
    const facts: GrubReading = { ...reading, release: entry?.release ?? null };
    const warning = menu.length === 0 ? "grub.cfg could not be read" : `entry "${wanted}" is not in grub.cfg`;
    const evidence = `GRUB_DEFAULT=${setting ?? "(unset)"}, boots "${wanted}"${entry ? ` (${entry.title})` : ""}`;
    return read(facts, evidence, ...(facts.release === null ? [`Default kernel unknown: ${warning}`] : []));
  },
};

interface MenuNode {
  readonly title: string;
  readonly id: string | null;
  readonly submenu: boolean;
  readonly children: MenuNode[];
  release: string | null;
}

/** Reads the skeleton of grub.cfg. Functions at its top also end with "}", which closes nothing here. */
function parseMenu(text: string): MenuNode[] {
  const root: MenuNode[] = [];
  const open: MenuNode[] = [];
  for (const line of text.split("\n")) {
    const head = /^\s*(menuentry|submenu)\s+(?:'([^']*)'|"([^"]*)")(.*)$/.exec(line);
    if (head) {
      const id = /\$menuentry_id_option\s+'([^']+)'|--id[= ]'?([^'\s{]+)/.exec(head[4] ?? "");
      const node: MenuNode = {
        title: head[2] ?? head[3] ?? "",
        id: id?.[1] ?? id?.[2] ?? null,
        submenu: head[1] === "submenu",
        children: [],
        release: null,
      };
      (open.at(-1)?.children ?? root).push(node);
      open.push(node);
    } else if (/^\s*\}/.test(line)) {
      open.pop();
    } else {
      const image = /^\s*linux\w*\s+\S*vmlinuz-(\S+)/.exec(line);
      const entry = open.at(-1);
      if (image && entry) entry.release ??= image[1] as string;
    }
  }
  return root;
}

function bootable(menu: readonly MenuNode[], prefix = ""): GrubEntry[] {
  return menu.flatMap((node) => {
    const id = `${prefix}${node.id ?? node.title}`;
    return node.submenu ? bootable(node.children, `${id}>`) : [{ id, title: node.title, release: node.release }];
  });
}

/** GRUB takes an id, a title or a position at each level; a submenu by itself means its first entry. */
function resolveEntry(menu: readonly MenuNode[], path: string): MenuNode | null {
  let level = menu;
  let found: MenuNode | null = null;
  for (const word of path.split(">").map((part) => part.trim())) {
    found = level.find((node) => node.id === word || node.title === word) ?? null;
    if (found === null && /^\d{1,4}$/.test(word)) found = level[Number(word)] ?? null;
    if (found === null) return null;
    level = found.children;
  }
  while (found?.submenu) found = found.children[0] ?? null;
  return found;
}

function splitHead(part: string): [string, string] {
  const end = part.indexOf("]");
  return end === -1 ? ["", part] : [part.slice(0, end), part.slice(end + 1)];
}

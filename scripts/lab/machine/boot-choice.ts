/** What GRUB decides from its two files, as far as Ubuntu's generated grub.cfg goes (grub 2.06, util/grub.d/00_header.in). */

export interface BootEntry {
  readonly id: string;
  readonly title: string;
  /** Path of the kernel image inside the guest, and its arguments. */
  readonly kernel: string;
  readonly arguments: readonly string[];
}

export interface BootChoice {
  readonly entry: BootEntry;
  /** The environment block as GRUB leaves it before it starts the kernel: `next_entry` counts once. */
  readonly environment: ReadonlyMap<string, string>;
}

const BLOCK_SIZE = 1024;
const SIGNATURE = "# GRUB Environment Block\n";

/** Picks the entry GRUB would boot. Throws when the menu is empty. */
export function chooseBoot(grubCfg: string, environment: ReadonlyMap<string, string>): BootChoice {
  const menu = parseMenu(grubCfg);
  const next = environment.get("next_entry") ?? "";
  const wanted = next === "" ? defaultOf(grubCfg, environment) : next;
  const entry = resolve(menu, wanted) ?? firstEntry(menu);
  if (entry === undefined) throw new Error("Cannot boot: grub.cfg has no menu entry with a kernel");
  const after = new Map(environment);
  if (next !== "") after.delete("next_entry");
  return { entry, environment: after };
}

export function parseEnvironment(block: string): ReadonlyMap<string, string> {
  const lines = block.split("\n").filter((line) => !line.startsWith("#") && line.includes("="));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** The block is always 1024 bytes, filled up with "#", since GRUB overwrites it in place. */
export function formatEnvironment(environment: ReadonlyMap<string, string>): string {
  const lines = [...environment].map(([name, value]) => `${name}=${value}\n`).join("");
  return (SIGNATURE + lines).padEnd(BLOCK_SIZE, "#");
}

interface MenuItem {
  readonly id: string;
  readonly title: string;
  /** Entries of a submenu; null for an entry. */
  readonly items: MenuItem[] | null;
  linux: string | null;
}

function parseMenu(grubCfg: string): MenuItem[] {
  const root: MenuItem[] = [];
  const open: (MenuItem | null)[] = [];
  for (const line of grubCfg.split("\n").map((text) => text.trim())) {
    const head = /^(menuentry|submenu) '([^']*)'.*?(?:\$menuentry_id_option|--id) '([^']*)'.*\{$/.exec(line);
    if (head !== null) {
      const [, kind, title = "", id = ""] = head;
      const item: MenuItem = { id, title, items: kind === "submenu" ? [] : null, linux: null };
      (open.at(-1)?.items ?? root).push(item);
      open.push(item);
    } else if (line.endsWith("{")) open.push(null);
    else if (line === "}") open.pop();
    else if (/^linux\s/.test(line)) {
      const item = open.at(-1);
      if (item != null) item.linux = line;
    }
  }
  return root;
}

function defaultOf(grubCfg: string, environment: ReadonlyMap<string, string>): string {
  const written = /\belse\s+set default="([^"]*)"/.exec(grubCfg)?.[1] ?? "0";
  return written.replace(/\$\{(\w+)\}/g, (_, name: string) => environment.get(name) ?? "");
}

/** Follows "submenu>entry", each part an index, an id or a title; ">>" stands for ">" in a title. */
function resolve(menu: readonly MenuItem[], path: string): BootEntry | undefined {
  let items: readonly MenuItem[] = menu;
  let found: MenuItem | undefined;
  for (const part of path.split(/(?<!>)>(?!>)/).map((text) => text.trim().replaceAll(">>", ">"))) {
    found = /^\d+$/.test(part) ? items[Number(part)] : items.find(({ id, title }) => id === part || title === part);
    if (found === undefined) return undefined;
    items = found.items ?? [];
  }
  return found === undefined ? undefined : firstEntry([found]);
}

function firstEntry(items: readonly MenuItem[]): BootEntry | undefined {
  const item = items[0];
  if (item === undefined) return undefined;
  if (item.items !== null) return firstEntry(item.items);
  const [, kernel, ...args] = item.linux?.split(/\s+/) ?? [];
  return kernel === undefined ? undefined : { id: item.id, title: item.title, kernel, arguments: args };
}

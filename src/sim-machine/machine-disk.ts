import { type FsStat, InMemoryFs } from "just-bash";

/** A file whose text is made when it is read, or that acts when it is written, as those of /sys and /proc do. */
export interface Attribute {
  readonly get: () => string;
  /** False refuses the value, like a kernel that answers EINVAL. Absent: the file is read-only. */
  readonly set?: (text: string) => boolean;
}

type WriteOptions = Parameters<InMemoryFs["writeFile"]>[2];
type Content = Parameters<InMemoryFs["writeFile"]>[1];

/** The host's file system: plain files in memory, kernel attributes over them, and sizes that memory could not hold. */
export class MachineDisk extends InMemoryFs {
  readonly #attributes = new Map<string, Attribute>();
  readonly #sizes = new Map<string, number>();
  readonly #programs = new Set<string>();
  /** Told about every new program: a shell that runs already must learn of it. */
  readonly onProgram = new Set<(name: string) => void>();
  /** Writes that the kernel refused and that no shell could report (see `writeFile`). */
  readonly refusals: string[] = [];

  addAttribute(path: string, attribute: Attribute): void {
    this.writeFileSync(path, "");
    this.#attributes.set(path, attribute);
  }

  addFile(path: string, text: string, options: { readonly mode?: number; readonly size?: number } = {}): void {
    this.writeFileSync(path, text, undefined, { mode: options.mode ?? 0o644 });
    if (options.size !== undefined) this.#sizes.set(path, options.size);
  }

  /** A file in /usr/bin for a command. Run under another path than that, it starts the command of its name. */
  addProgram(name: string): void {
    if (this.#programs.has(name)) return;
    this.#programs.add(name);
    for (const tell of this.onProgram) tell(name);
    this.addFile(`/usr/bin/${name}`, `#!/bin/bash\n${name} "$@"\n`, { mode: 0o755 });
  }

  async removeProgram(name: string): Promise<void> {
    this.#programs.delete(name);
    await this.rm(`/usr/bin/${name}`, { force: true });
  }

  async addSymlink(target: string, path: string): Promise<void> {
    this.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
    await this.symlink(target, path);
  }

  /** Removes a folder of kernel files and everything that was registered under it. */
  async forget(folder: string): Promise<void> {
    for (const registry of [this.#attributes, this.#sizes]) {
      for (const path of registry.keys()) if (path.startsWith(`${folder}/`)) registry.delete(path);
    }
    await this.rm(folder, { recursive: true, force: true });
  }

  async readText(path: string): Promise<string | null> {
    return (await this.exists(path)) ? await this.readFile(path) : null;
  }

  override async readFile(...[path, options]: Parameters<InMemoryFs["readFile"]>): Promise<string> {
    const attribute = await this.#attributeAt(path);
    return attribute ? attribute.get() : super.readFile(path, options);
  }

  override async readFileBytes(path: string): ReturnType<InMemoryFs["readFileBytes"]> {
    await this.#materialize(path);
    return super.readFileBytes(path);
  }

  override async readFileBuffer(path: string): ReturnType<InMemoryFs["readFileBuffer"]> {
    await this.#materialize(path);
    return super.readFileBuffer(path);
  }

  /** A redirection cannot carry EINVAL back through the interpreter: the value stays, and `refusals` says so. */
  override async writeFile(path: string, content: Content, options?: WriteOptions): Promise<void> {
    const attribute = await this.#attributeAt(path);
    if (attribute) this.#set(path, attribute, content);
    else await super.writeFile(path, content, options);
  }

  override async appendFile(path: string, content: Content, options?: WriteOptions): Promise<void> {
    const attribute = await this.#attributeAt(path);
    if (attribute) this.#set(path, attribute, content);
    else await super.appendFile(path, content, options);
  }

  /** The base class does not list a folder whose path leads through a link. */
  override async readdir(path: string): Promise<string[]> {
    return super.readdir(await this.#real(path));
  }

  override async stat(path: string): Promise<FsStat> {
    const stat = await super.stat(path);
    const size = this.#sizes.get(await this.#real(path));
    return size === undefined ? stat : { ...stat, size };
  }

  /** The interpreter truncates before it writes: an empty text is that, and not a value. */
  #set(path: string, attribute: Attribute, content: Content): void {
    const text = typeof content === "string" ? content.trim() : new TextDecoder().decode(content).trim();
    if (text === "") return;
    if (attribute.set?.(text) !== true) this.refusals.push(path);
  }

  async #attributeAt(path: string): Promise<Attribute | undefined> {
    return /^\/(sys|proc)\//.test(path) ? this.#attributes.get(await this.#real(path)) : undefined;
  }

  /** Commands that read bytes go past `readFile`, so the text is put in the file first. */
  async #materialize(path: string): Promise<void> {
    const attribute = await this.#attributeAt(path);
    if (attribute) await super.writeFile(await this.#real(path), attribute.get());
  }

  async #real(path: string): Promise<string> {
    return this.realpath(path).catch(() => path);
  }
}

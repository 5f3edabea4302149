/**
 * Bundles src/main and the demo into dist/: `index.cjs` (the Action, main and post), `cli.cjs`, `demo.cjs`, and `licenses.txt`.
 * `--check` writes nothing and fails when dist/ differs from what would be written.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");

const entries = { index: "src/main/action.ts", cli: "src/main/cli.ts", demo: "src/commands/demo.ts" };

/** The command line loads the embedded host from the bundle beside it, and only for `demo`. */
const demoApart: Plugin = {
  name: "demo-apart",
  setup(plugin) {
    plugin.onResolve({ filter: /^\.\.\/commands\/demo\.ts$/ }, () => ({ path: "./demo.cjs", external: true }));
  },
};

const outputs = await bundle();
if (process.argv.includes("--check")) await failWhenStale(outputs);
else await write(outputs);

async function bundle(): Promise<Map<string, string>> {
  const version = (JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string }).version;
  const result = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: dist,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    keepNames: true,
    legalComments: "none",
    // cpu-features and ssh2's own addon are optional native parts: without them ssh2 uses node's OpenSSL.
    external: ["cpu-features"],
    plugins: [demoApart],
    loader: { ".node": "empty" },
    // Some dependencies are ES modules that ask for import.meta.url, which a CommonJS bundle lacks.
    define: { "import.meta.url": "__importMetaUrl", __ARC_VLLM_VERSION__: JSON.stringify(version) },
    banner: { js: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: "warning",
  });
  const files = new Map(result.outputFiles.map((file) => [file.path.slice(dist.length + 1), file.text]));
  files.set("licenses.txt", await licensesOf(result.metafile));
  return files;
}

/** The licence text of every package that ended up in a bundle. */
async function licensesOf(metafile: Metafile): Promise<string> {
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap((path) => {
      const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
      return match?.[1] === undefined ? [] : [match[1]];
    }),
  );
  const texts = await Promise.all([...packages].sort().map(licenseOf));
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

async function licenseOf(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license?: string;
  };
  const file = (await readdir(join(root, folder))).find((name) => /^licen[cs]e/i.test(name));
  const text = file === undefined ? "" : await readFile(join(root, folder, file), "utf8");
  return `${manifest.name} ${manifest.version} (${manifest.license ?? "see text"})\n\n${text.trim()}\n`;
}

async function write(files: Map<string, string>): Promise<void> {
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  for (const [name, text] of files) {
    await writeFile(join(dist, name), text);
    console.log(`dist/${name}  ${(text.length / 1024).toFixed(0)} KiB`);
  }
}

async function failWhenStale(files: Map<string, string>): Promise<void> {
  const stale: string[] = [];
  for (const [name, text] of files) {
    const present = await readFile(join(dist, name), "utf8").catch(() => null);
    if (present !== text) stale.push(`dist/${name}`);
  }
  if (stale.length === 0) return;
  console.error(`Stale: ${stale.join(", ")}. Run "npm run build" and commit the result.`);
  process.exitCode = 1;
}

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { playList, playRender } from "../../src/commands/play.ts";
import { parseRunOptions } from "../../src/inputs/run-options.ts";
import type { World } from "../../src/pipeline/world.ts";
import { fakeWorld } from "../fakes/fake-world.ts";

const folder = resolve(import.meta.dirname, "../../playbooks");
const MINE = `version: 1
name: mine
vars: { greeting: hello }
steps:
  - name: note
    tags: [files]
    file: { path: /etc/note, content: "{{ greeting }}" }
  - name: more
    needs: [note]
    shell: { check: 'test "$GREETING" = hello', apply: "true" }
`;
const CONFIG = `version: 1
hosts: [{ name: lab-1, address: 10.0.0.5, user: ci, host-key: "SHA256:${"A".repeat(43)}", private-key-env: NOT_SET }]
playbook: { name: mine.yml, vars: { greeting: hi there }, tags: [files] }
`;

/** A world whose hosts cannot be reached, with the playbooks of the product. */
function world(files: Readonly<Record<string, string>> = {}): World {
  const shipped = readdirSync(folder).filter((name) => name.endsWith(".yml"));
  const texts = shipped.map((name) => [join(folder, name), readFileSync(join(folder, name), "utf8")]);
  const scripts = ["cpu-performance.sh", "gpu-clock.sh"].map((name) => [join(folder, "files", name), "#!/bin/bash\n"]);
  const fake = fakeWorld({}, { ...Object.fromEntries([...texts, ...scripts]), "mine.yml": MINE, ...files });
  return { ...fake, productRoot: resolve(folder, ".."), files: { ...fake.files, list: async () => shipped } };
}

const overrides = parseRunOptions({}, (name) => `--${name}`);
const render = (request: Partial<Parameters<typeof playRender>[0]>, files: Readonly<Record<string, string>> = {}) =>
  playRender({ playbook: null, host: null, step: null, ...request }, overrides, world(files));

describe("playList()", () => {
  it("lists every shipped playbook with its steps, within 100 columns", async () => {
    const { text } = await playList([], world());
    for (const name of ["check-only", "ubuntu-22.04-a770", "ubuntu-24.04-bmg"]) expect(text).toContain(`${name}: `);
    expect(text).toMatch(/│ Boot 6\.5\.0-35-generic +│ kernel +│ kernel +│ Kernel packages/);
    expect(text.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });

  it("lists the playbook of a path, also as JSON", async () => {
    expect((await playList(["mine.yml"], world())).json).toEqual([
      {
        ...{ name: "mine.yml", title: "mine", vars: { greeting: "hello" } },
        hosts: { os: null, releases: null, arch: null },
        steps: [
          { name: "note", kind: "file", tags: ["files"], needs: [] },
          { name: "more", kind: "shell", tags: [], needs: ["note"] },
        ],
      },
    ]);
  });
});

describe("playRender()", () => {
  it("shows scripts with the values beside them, never inside", async () => {
    const { text } = await render({ playbook: "mine.yml" });
    expect(text).toContain('# $GREETING = "hello"');
    expect(text).toContain('# $CONTENT = "hello"');
    expect(text).toContain('test "$GREETING" = hello');
  });

  it("takes the values of the configuration for one of its hosts, without asking for secrets", async () => {
    const { text } = await render({ playbook: "mine.yml", host: "lab-1" }, { "arc-vllm.yml": CONFIG });
    expect(text).toContain('# For host: lab-1\n# $ARC_LOGIN_USER = "ci"\n# $GREETING = "hi there"');
    expect(text).toMatch(/^# 2\. more \(shell; .*left out by tags/m);
    const other = await render({ playbook: "check-only", host: "lab-1" }, { "arc-vllm.yml": CONFIG });
    expect(other.text).not.toContain("GREETING");
  });

  it("takes the playbook of the configuration when none is named, and says when there is none", async () => {
    expect((await render({}, { "arc-vllm.yml": CONFIG })).text).toContain("# Playbook: mine (mine.yml)");
    await expect(render({})).rejects.toThrow("Cannot render a playbook: none is named");
  });

  it("shows one step", async () => {
    const { text, json } = await render({ playbook: "mine.yml", step: "2" });
    expect(text).not.toContain("1. note");
    expect(json).toMatchObject({ name: "mine", steps: [{ name: "more", work: { type: "scripts" } }] });
  });

  it("refuses a host that the configuration does not have", async () => {
    await expect(render({ host: "lab-2" }, { "arc-vllm.yml": CONFIG })).rejects.toThrow('did you mean "lab-1"?');
  });
});

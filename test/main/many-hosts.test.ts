import { afterEach, describe, expect, it } from "vitest";
import { check } from "../../src/commands/check.ts";
import { provision } from "../../src/commands/provision.ts";
import type { RunConfig } from "../../src/config/run-config.ts";
import { AppError } from "../../src/core/app-error.ts";
import { loadConfig } from "../../src/inputs/parse-config.ts";
import { parseRunOptions } from "../../src/inputs/run-options.ts";
import { run } from "../../src/pipeline/run.ts";
import type { World } from "../../src/pipeline/world.ts";
import type { FakeConsole } from "../fakes/fake-console.ts";
import { fakeWorld } from "../fakes/fake-world.ts";
import { type StubHost, stubHost } from "../fakes/stub-host.ts";

const hosts: StubHost[] = [];
afterEach(() => {
  for (const host of hosts.splice(0)) host.remove();
});

function newHost(): StubHost {
  const host = stubHost();
  hosts.push(host);
  return host;
}

/** On the stub host, scripts must be told where / is; the product's own commands never say it. */
const PLAYBOOK = `version: 1
name: small
steps:
  - name: note
    file: { path: /etc/note, content: as wanted }
`;

function configFor(names: readonly string[]): RunConfig {
  const list = names.map((name) => ({ name, connection: "local" }));
  const text = JSON.stringify({ version: 1, hosts: list, playbook: "small.yml" });
  return loadConfig({ text, path: "arc-vllm.yml" }, parseRunOptions({}, String), () => undefined);
}

const dead = async (): Promise<never> => {
  throw new AppError("HOST_UNREACHABLE", { message: 'Cannot reach host "b"', hint: "Switch it on" });
};

/** What a run knows about itself. */
const RUN: Pick<World, "identity" | "source" | "simulated"> = {
  identity: {
    id: "run-1",
    attempt: 1,
    url: null,
    trigger: "cli",
    startedAt: "2026-01-01T00:00:00.000Z",
    toolVersion: "1.0.0",
  },
  source: null,
  simulated: false,
};

/** The world, and what is written in it. */
function recording(world: World) {
  const written = new Map<string, string>();
  const write = async (path: string, text: string) => void written.set(path, text);
  return { world: { ...world, files: { ...world.files, write } }, written };
}

function threeHosts() {
  const [first, last] = [newHost(), newHost()];
  const world = fakeWorld(
    { a: async () => first.shell, b: dead, c: async () => last.shell },
    { "small.yml": PLAYBOOK },
  );
  return { world, first, last };
}

describe("check()", () => {
  it("tells of every host in the order of the configuration, also when one is dead", async () => {
    const { world } = threeHosts();
    const { exitCode, text, json } = await check(configFor(["a", "b", "c"]), world);
    expect(exitCode).toBe(3);
    expect(text.split("\n\n").at(-1)).toBe(
      [
        'a: "arc-vllm provision" would change 1 steps',
        "b: not ready",
        'c: "arc-vllm provision" would change 1 steps',
      ].join("\n"),
    );
    expect((json as { host: string }[]).map(({ host }) => host)).toEqual(["a", "b", "c"]);
  });

  it("shows line by line what would change when asked, and leaves it out when not", async () => {
    const { world } = threeHosts();
    const { text, json } = await check(configFor(["a"]), world, { diff: true });
    const diff = "--- /dev/null\n+++ /etc/note\n@@ -0,0 +1 @@\n+as wanted\n\\ No newline at end of file";
    expect(text).toContain(`# note\n${diff}`);
    expect(json).toMatchObject([{ plan: { steps: [{ name: "note", diff }] } }]);
    expect((await check(configFor(["a"]), world)).text).not.toContain("+as wanted");
    const colored = await check(configFor(["a"]), { ...world, color: true }, { diff: true });
    expect(colored.text).toContain("\u001b[32m+as wanted\u001b[39m");
  });

  it("writes what it read of each host, and of a single one under the plain name", async () => {
    const { world, written } = recording(threeHosts().world);
    await check(configFor(["a", "b", "c"]), world);
    expect([...written.keys()]).toEqual(["arc-vllm-report/host-facts-a.json", "arc-vllm-report/host-facts-c.json"]);
    await check(configFor(["a"]), world);
    const file = JSON.parse(written.get("arc-vllm-report/host-facts.json") ?? "");
    expect(file).toMatchObject({ schema: "arc-vllm/host-facts/v1", facts: { host: expect.any(String) } });
  });

  it("refuses a tag that the playbook does not have before any host is touched", async () => {
    const { world, first } = threeHosts();
    const config = { ...configFor(["a"]), playbook: { name: "small.yml", vars: {}, tags: ["nope"] } };
    await expect(check(config, world)).rejects.toThrow('no step has the tag "nope"');
    expect(first.shell.ran).toEqual([]);
  });

  it("asks each host once", async () => {
    const { world, first, last } = threeHosts();
    await check(configFor(["a", "c"]), world);
    expect([first.shell.ran.length, last.shell.ran.length]).toEqual([1, 1]);
  });
});

describe("run()", () => {
  it("works on the hosts at once, keeps their order, and ends with the worst exit code when one is dead", async () => {
    const { world: base, first, last } = threeHosts();
    const { world: recorded, written } = recording(base);
    const world: World = { ...recorded, ...RUN };
    const { hosts, decision } = await run(configFor(["a", "b", "c"]), world);
    expect(hosts.map(({ record }) => [record.host, record.state])).toEqual([
      ["a", "complete"],
      ["b", "partial"],
      ["c", "complete"],
    ]);
    expect([first.read("etc/note"), last.read("etc/note")]).toEqual(["as wanted", "as wanted"]);
    expect(decision).toMatchObject({ status: "INVALID", exitCode: 3 });
    expect([...written.keys()].filter((path) => path.includes("record-"))).toHaveLength(3);
    const lines = (world.console as FakeConsole).lines.filter((line) => line.includes("changed  note"));
    expect(lines).toEqual([expect.stringMatching(/^info [ac]: /), expect.stringMatching(/^info [ac]: /)]);
  });

  it("refuses a playbook that is wrong before any host is touched", async () => {
    const { world, first } = threeHosts();
    const config = { ...configFor(["a"]), playbook: { name: "small.yml", vars: {}, tags: ["nope"] } };
    await expect(run(config, { ...world, ...RUN })).rejects.toThrow('no step has the tag "nope"');
    expect(first.shell.ran).toEqual([]);
  });

  it("says in the record what tags left out", async () => {
    const { world } = threeHosts();
    const config = { ...configFor(["a"]), playbook: { name: "tagged.yml", vars: {}, tags: ["x"] } };
    const tagged = `${PLAYBOOK}  - name: other\n    tags: [x]\n    file: { path: /etc/other, content: o }\n`;
    const files = { ...world.files, read: async (path: string) => (path === "tagged.yml" ? tagged : null) };
    const { hosts } = await run(config, { ...world, ...RUN, files });
    expect(hosts[0]?.record.warnings).toEqual(['Tags left out 1 of 2 steps of playbook "small": "note"']);
    expect(hosts[0]?.record.provision?.steps.map(({ status }) => status)).toEqual(["skipped", "changed"]);
  });

  it("begins no host any more once it is cancelled", async () => {
    const controller = new AbortController();
    const opened: string[] = [];
    const open = (name: string) => async (): Promise<never> => {
      opened.push(name);
      controller.abort();
      return dead();
    };
    const base = fakeWorld({ a: open("a"), b: open("b") }, { "small.yml": PLAYBOOK });
    const world: World = { ...base, ...RUN, signal: controller.signal };
    const { hosts } = await run(configFor(["a", "b"]), world, { "hosts-at-once": 1 });
    expect(opened).toEqual(["a"]);
    expect(hosts.map(({ record }) => record.host)).toEqual(["a"]);
  });
});

describe("provision()", () => {
  it("writes the facts of the hosts that it reaches", async () => {
    const { world, written } = recording(threeHosts().world);
    await provision(configFor(["b", "c"]), world);
    expect([...written.keys()]).toEqual(["arc-vllm-report/host-facts-c.json"]);
  });

  it("changes the hosts that it reaches and fails for the one that it does not", async () => {
    const { world, first, last } = threeHosts();
    const { exitCode, text, json } = await provision(configFor(["a", "b", "c"]), world);
    expect(exitCode).toBe(3);
    expect([first.read("etc/note"), last.read("etc/note")]).toEqual(["as wanted", "as wanted"]);
    expect(text).toContain('Cannot reach host "b"');
    expect(text.match(/^\+as wanted$/gm), "what was changed, for each host").toHaveLength(2);
    expect(json).toMatchObject({ records: [{ steps: [{ status: "changed" }] }, { steps: [{ status: "changed" }] }] });
  });
});

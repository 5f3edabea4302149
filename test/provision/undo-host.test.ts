import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Playbook } from "../../src/playbook/playbook.ts";
import { provisionHost } from "../../src/provision/provision-host.ts";
import { undoHost } from "../../src/provision/undo-host.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { fakeShell } from "../fakes/fake-shell.ts";
import { shippedPlaybook, smallPlaybook } from "../fakes/shipped-playbook.ts";
import { type StubHost, stubHost } from "../fakes/stub-host.ts";

let host: StubHost;
beforeEach(() => {
  host = stubHost();
});
afterEach(() => host.remove());

const common = () => ({ shell: host.shell, clock: new FakeClock(), console: fakeConsole(), root: host.root });
const provision = (playbook: Playbook, runId = "run-1") => provisionHost({ ...common(), playbook, runId });
const undo = (runId: string | null = null) => undoHost({ ...common(), runId });

const STATE = [
  "state/running",
  "state/installed",
  "state/held",
  "state/enabled",
  "state/active",
  "state/groups",
  "boot/grub/grubenv",
  "etc/default/grub",
];

/** What a person would look at to see whether a host is as it was, without the order of lists. */
function snapshot(): Record<string, string> {
  const words = (text: string) => text.split(/\s+/).filter(Boolean).sort().join(" ");
  const files = [
    "etc/systemd/system",
    "etc/apt/sources.list.d",
    "etc/default/grub.d",
    "usr/local/lib/arc-vllm",
    "usr/share/keyrings",
    "boot",
  ];
  const listed = files.flatMap((folder) => {
    if (!existsSync(join(host.root, folder))) return [];
    return execFileSync("find", [join(host.root, folder), "-type", "f"], { encoding: "utf8" })
      .trim()
      .split("\n")
      .filter(Boolean);
  });
  return {
    ...Object.fromEntries(STATE.map((path) => [path, words(host.read(path))])),
    files: listed.sort().join("\n"),
  };
}

describe("undoHost()", () => {
  it("takes a host back to what it was before the A770 playbook", async () => {
    const before = snapshot();
    await provision(shippedPlaybook("ubuntu-22.04-a770.yml"));
    expect(snapshot()).not.toEqual(before);
    const record = await undo();
    expect(snapshot()).toEqual(before);
    expect(record).toMatchObject({
      runId: "run-1",
      playbook: "Arc A-series benchmark host on Ubuntu 22.04",
      reboots: 1,
    });
    expect(record.steps[0]?.name).toBe("GPU clock service");
    expect(record.steps.every(({ status }) => status === "changed")).toBe(true);
  }, 60_000);

  it("changes nothing while another run has the host", async () => {
    await provision(smallPlaybook("  - name: f\n    file: { path: /etc/x, content: x }\n"));
    const taken = fakeShell((script) =>
      script.name === "hold the host" ? { exitCode: 75, stdout: "@busy 600 run two\n" } : {},
    );
    const refused = undoHost({ ...common(), shell: taken, runId: null });
    await expect(refused).rejects.toMatchObject({
      code: "HOST_BUSY",
      message: expect.stringContaining("run two has had it for 10 min"),
    });
    expect(taken.ran.map(({ name }) => name)).toEqual(["hold the host"]);
  });

  it("keeps the host over its own reboot", async () => {
    host.remove();
    host = stubHost(({ name }) => (name === "hold the host" ? { stdout: "@locked\n" } : {}));
    const image = "  - name: i\n    apt: { packages: [linux-image-6.5.0-35-generic] }\n";
    await provision(smallPlaybook(`${image}  - name: k\n    kernel: { release: 6.5.0-35-generic }\n`));
    const before = host.shell.ran.length;
    await undo();
    const names = host.shell.ran.slice(before).map(({ name }) => name);
    const at = (name: string) => names.indexOf(name);
    expect(at("keep the host over a reboot")).toBeGreaterThan(at("hold the host"));
    expect(at("reboot")).toBeGreaterThan(at("keep the host over a reboot"));
    expect(names.lastIndexOf("hold the host")).toBeGreaterThan(at("reboot"));
  });

  it("puts back the file that was there, with its mode", async () => {
    host.write("etc/x", "mine\n");
    execFileSync("chmod", ["640", join(host.root, "etc/x")]);
    await provision(smallPlaybook("  - name: f\n    file: { path: /etc/x, content: ours }\n"));
    expect(host.read("etc/x")).toBe("ours");
    await undo("run-1");
    expect(host.read("etc/x")).toBe("mine\n");
    expect(execFileSync("stat", ["-c", "%a", join(host.root, "etc/x")], { encoding: "utf8" })).toBe("640\n");
  });

  it("undoes runs one after the other, newest first", async () => {
    await provision(smallPlaybook("  - name: f\n    file: { path: /etc/x, content: one }\n"), "run-1");
    await provision(smallPlaybook("  - name: f\n    file: { path: /etc/x, content: two }\n"), "run-2");
    expect((await undo()).runId).toBe("run-2");
    expect(host.read("etc/x")).toBe("one");
    expect((await undo()).runId).toBe("run-1");
    expect(existsSync(join(host.root, "etc/x"))).toBe(false);
    await expect(undo()).rejects.toMatchObject({ code: "INPUT_INVALID", hint: expect.stringContaining("Name one") });
  });

  it("goes on where an undo stopped", async () => {
    const steps = smallPlaybook(
      "  - name: a\n    file: { path: /etc/a, content: x }\n  - name: b\n    shell: { check: test -e $ARC_ROOT/b, apply: touch $ARC_ROOT/b, undo: test -e $ARC_ROOT/allowed; rm $ARC_ROOT/b }\n",
    );
    await provision(steps);
    await expect(undo("run-1")).rejects.toMatchObject({
      code: "STEP_FAILED",
      message: expect.stringContaining('"undo b"'),
    });
    expect(host.read("etc/a")).toBe("x");
    host.write("allowed", "");
    const record = await undo("run-1");
    expect(record.steps.map(({ name, status }) => `${name} ${status}`)).toEqual(["b changed", "a changed"]);
    const again = await undo("run-1");
    expect(again.steps.map(({ status }) => status)).toEqual(["ok", "ok"]);
  });

  it("keeps packages that something else needs by now", async () => {
    await provision(smallPlaybook("  - name: k\n    apt: { packages: [gawk] }\n"));
    host.write("state/removes", "users-own-tool");
    await expect(undo("run-1")).rejects.toMatchObject({
      hint: expect.stringContaining("users-own-tool needs packages"),
    });
    expect(host.read("state/installed")).toContain("gawk");
  });

  it("names the runs there are", async () => {
    await provision(smallPlaybook("  - name: f\n    file: { path: /etc/x, content: one }\n"));
    await expect(undo("run-9")).rejects.toMatchObject({
      message: expect.stringContaining("the host has the runs run-1"),
    });
  });

  it("says so on a host where nothing was ever changed", async () => {
    await expect(undo()).rejects.toMatchObject({ code: "INPUT_INVALID", hint: "There is nothing to undo" });
  });

  it("leaves scripts that a person can run by hand", async () => {
    await provision(smallPlaybook("  - name: f\n    file: { path: /etc/x, content: it's }\n"));
    const script = "var/lib/arc-vllm/runs/run-1/step-0/undo.sh";
    execFileSync("bash", [join(host.root, script)], { env: { PATH: "/usr/bin:/bin" } });
    expect(existsSync(join(host.root, "etc/x"))).toBe(false);
  });
});

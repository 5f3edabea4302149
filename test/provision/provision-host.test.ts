import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/app-error.ts";
import type { Playbook } from "../../src/playbook/playbook.ts";
import { selectSteps } from "../../src/playbook/select-steps.ts";
import { type ProvisionContext, provisionHost } from "../../src/provision/provision-host.ts";
import type { ProvisionRecord } from "../../src/provision/provision-record.ts";
import { recapLine } from "../../src/provision/recap-line.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import type { FakeHandler } from "../fakes/fake-shell.ts";
import { goodFacts } from "../fakes/host-facts.ts";
import { shippedPlaybook, smallPlaybook } from "../fakes/shipped-playbook.ts";
import { type StubHost, stubHost } from "../fakes/stub-host.ts";

const hosts: StubHost[] = [];
afterEach(() => {
  for (const host of hosts.splice(0)) host.remove();
});

function newHost(before?: FakeHandler): StubHost {
  const host = stubHost(before);
  hosts.push(host);
  return host;
}

function context(host: StubHost, playbook: Playbook, part: Partial<ProvisionContext> = {}): ProvisionContext {
  return { shell: host.shell, clock: new FakeClock(), console: fakeConsole(), playbook, root: host.root, ...part };
}

/** What the record says even when the run then fails. */
async function recorded(context: ProvisionContext): Promise<{ record: ProvisionRecord | null; error: unknown }> {
  let record: ProvisionRecord | null = null;
  const onRecord = async (given: ProvisionRecord) => {
    record = given;
  };
  const error = await provisionHost({ ...context, onRecord }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { record, error };
}

const file = (name: string, more = "") =>
  `  - name: ${name}\n    file: { path: /etc/${name}, content: ${name} }\n${more}`;
const statuses = (record: ProvisionRecord | null) => record?.steps.map(({ name, status }) => `${name}: ${status}`);

describe("provisionHost()", () => {
  it("takes a host from the bad state to the A770 playbook, and changes nothing the second time", async () => {
    const host = newHost();
    const playbook = shippedPlaybook("ubuntu-22.04-a770.yml");
    const record = await provisionHost(context(host, playbook));
    expect(record).toMatchObject({ reboots: 2, converged: true });
    expect(record.steps.filter(({ status }) => status === "failed" || status === "blocked")).toEqual([]);
    expect(host.read("state/running")).toBe("6.5.0-35-generic\n");
    expect(host.read("sys/module/i915/srcversion")).toBe("DKMS\n");
    expect(host.read("sys/bus/pci/devices/0000:07:00.0/drm/card7/gt/gt0/rps_min_freq_mhz")).toBe("2400\n");
    expect(host.read("sys/devices/system/cpu/cpufreq/policy0/scaling_min_freq")).toBe("3800000\n");
    expect(host.read("sys/devices/system/cpu/cpufreq/policy1/scaling_min_freq")).toBe("3000000\n");
    expect(host.read("state/held").split("\n")).toEqual(
      expect.arrayContaining(["linux-image-6.5.0-35-generic", "linux-generic-hwe-22.04", "intel-i915-dkms"]),
    );

    expect(
      record.steps.find(({ name }) => name.startsWith("xpu-smi")),
      "nobody offers it",
    ).toMatchObject({
      status: "skipped",
    });

    const tripsBefore = host.shell.ran.length;
    const again = await provisionHost(context(host, playbook));
    expect(again).toMatchObject({ reboots: 0, converged: true, runId: null });
    expect(again.steps.some(({ status }) => status === "changed")).toBe(false);
    expect(host.shell.ran.length - tripsBefore).toBe(1);
  }, 60_000);

  it("touches nothing when a requirement fails", async () => {
    const host = newHost();
    const gpu = "sys/bus/pci/devices/0000:07:00.0";
    host.write(`${gpu}/resource`, "0x0 0x0 0x0\n0x0 0x0 0x0\n0x1800000000 0x180fffffff 0x14220c\n");
    host.write(`${gpu}/resource2_resize`, "0000000000007f00\n");
    const refused = provisionHost(context(host, shippedPlaybook("ubuntu-22.04-a770.yml")));
    await expect(refused).rejects.toMatchObject({
      code: "HOST_NOT_READY",
      message: expect.stringContaining(
        "Resizable BAR is on (0000:07:00.0): off: the CPU sees 256 MiB of 16384 MiB, wanted full",
      ),
      hint: expect.stringContaining("Re-Size BAR Support"),
    });
    expect(host.shell.ran).toHaveLength(1);
    expect(existsSync(join(host.root, "var/lib/arc-vllm"))).toBe(false);
  });

  it("goes on past a requirement that the playbook only warns about", async () => {
    const host = newHost();
    const playbook = smallPlaybook(
      `  - name: boot\n    assert: { that: kernel-release, want: 6.5.0-35-generic, severity: warn }\n${file("a")}`,
    );
    const record = await provisionHost(context(host, playbook));
    expect(statuses(record)).toEqual(["boot: warning", "a: changed"]);
    expect(recapLine(record)).toBe("fake-host : ok=1 changed=1 failed=0 unreachable=0 skipped=0 warnings=1 reboots=0");
  });

  it.each([
    { name: "distribution", hosts: "{ os: debian }" },
    { name: "release", hosts: '{ os: ubuntu, release: "24.04" }' },
    { name: "architecture", hosts: "{ arch: arm64 }" },
  ])("refuses a playbook for another $name before anything is touched", async ({ hosts }) => {
    const host = newHost();
    const playbook = smallPlaybook(file("a"), `hosts: ${hosts}\n`);
    await expect(provisionHost(context(host, playbook))).rejects.toMatchObject({ code: "HOST_UNSUPPORTED" });
    expect(existsSync(join(host.root, "etc/a"))).toBe(false);
  });

  it("says what to do when sudo is missing", async () => {
    const host = newHost();
    const facts = goodFacts({ login: { user: "guest", groups: ["guest"], canSudo: false } });
    await expect(provisionHost(context(host, smallPlaybook(file("a")), { facts }))).rejects.toMatchObject({
      code: "HOST_NO_SUDO",
      hint: expect.stringContaining("NOPASSWD"),
    });
  });

  it("needs no sudo on a host that is right already", async () => {
    const host = newHost();
    host.write("etc/a", "a");
    const facts = goodFacts({ login: { user: "guest", groups: ["guest"], canSudo: false } });
    const record = await provisionHost(context(host, smallPlaybook(file("a")), { facts }));
    expect(statuses(record)).toEqual(["a: ok"]);
    expect(host.shell.ran.map(({ sudo }) => sudo)).toEqual([false]);
  });

  it("does not reboot the machine that it runs on", async () => {
    const host = newHost();
    const playbook = smallPlaybook("  - name: r\n    reboot: { expect: { uname: 6.5.0-35-generic } }\n");
    await expect(provisionHost(context(host, playbook, { ownBootId: "boot-0" }))).rejects.toMatchObject({
      code: "HOST_REBOOT_FAILED",
      hint: expect.stringContaining("another machine"),
    });
    expect(host.commands().some((line) => line.startsWith("systemd-run"))).toBe(false);
  });

  it("blocks what needs a failed step, does the rest, and does not reboot", async () => {
    const host = newHost();
    const broken = "  - name: broken\n    shell: { check: 'false', apply: 'echo no luck; exit 3' }\n";
    const steps = `${broken}${file("a", "    needs: [broken]\n")}${file("b")}  - name: r\n    reboot: { expect: { uname: 6.5.0-35-generic } }\n`;
    const { record, error } = await recorded(context(host, smallPlaybook(steps)));
    expect(statuses(record)).toEqual(["broken: failed", "a: blocked", "b: changed", "r: blocked"]);
    expect(record?.steps[0]?.output).toBe("no luck");
    expect(record?.converged).toBeNull();
    expect(error).toMatchObject({ code: "STEP_FAILED", message: expect.stringContaining("no luck") });
  });

  it("runs what dpkg must not be cut in so that a lost connection cannot end it", async () => {
    const host = newHost();
    await provisionHost(context(host, smallPlaybook(`  - name: k\n    apt: { packages: [gawk] }\n${file("a")}`)));
    const modes = host.shell.ran
      .filter(({ name }) => name.startsWith("apply"))
      .map(({ options }) => options.onDisconnect);
    expect(modes).toEqual(["finish", "kill"]);
  });

  it("keeps what was done when the run is cancelled", async () => {
    const controller = new AbortController();
    const host = newHost(({ name }) => {
      if (name === 'apply "b"') controller.abort();
      return controller.signal.aborted ? { ended: "cancelled" } : {};
    });
    const steps = smallPlaybook(file("a") + file("b") + file("c"));
    const { record, error } = await recorded(context(host, steps, { signal: controller.signal }));
    expect(error).toMatchObject({ code: "CANCELLED" });
    expect(statuses(record)).toEqual(["a: changed", "b: failed", "c: blocked"]);
  });

  it("tells a step that timed out from one that failed", async () => {
    const host = newHost(({ name }) => (name === 'apply "k"' ? { ended: "timed-out", durationMs: 60_000 } : {}));
    const { record, error } = await recorded(
      context(host, smallPlaybook("  - name: k\n    timeout: 60s\n    apt: { packages: [gawk] }\n")),
    );
    expect(record?.steps[0]?.output).toBe("not finished after 60.0 s; it goes on by itself on the host");
    expect(error).toMatchObject({ code: "STEP_FAILED", hint: expect.stringContaining("Raise the timeout") });
  });

  it("fails when the second pass still wants changes", async () => {
    const host = newHost();
    // Two steps that fight over one file.
    const steps =
      "  - name: one\n    file: { path: /etc/x, content: one }\n  - name: two\n    file: { path: /etc/x, content: two }\n";
    const { record, error } = await recorded(context(host, smallPlaybook(steps)));
    expect(record?.converged).toBe(false);
    expect(error).toMatchObject({
      code: "HOST_NOT_CONVERGED",
      message: expect.stringContaining("one: /etc/x differs"),
    });
  });

  it("calls a step unchanged that an earlier one brought about", async () => {
    const host = newHost();
    const steps = `  - name: one\n    shell: { check: 'test -e "$ARC_ROOT/etc/x"', apply: 'printf two > "$ARC_ROOT/etc/x"' }\n  - name: two\n    file: { path: /etc/x, content: two, mode: "0644" }\n`;
    expect(statuses(await provisionHost(context(host, smallPlaybook(steps))))).toEqual(["one: changed", "two: ok"]);
  });

  it("judges an idle step anew when a step that it needs has changed something", async () => {
    const host = newHost();
    const steps = `${file("a")}${file("b", '    when: test -e "$ARC_ROOT/etc/a"\n    needs: [a]\n')}`;
    const record = await provisionHost(context(host, smallPlaybook(steps)));
    expect(statuses(record)).toEqual(["a: changed", "b: changed"]);
    expect(record.converged).toBe(true);
    expect(statuses(await provisionHost(context(host, smallPlaybook(steps))))).toEqual(["a: ok", "b: ok"]);
  });

  it("does nothing for steps that tags leave out, not even a reboot that another one asks for", async () => {
    const host = newHost();
    const steps = `${file("a", "    tags: [x]\n    reboot: if-changed\n")}${file("b")}  - name: r\n    reboot: {}\n`;
    const record = await provisionHost(context(host, selectSteps(smallPlaybook(steps), ["x"], [])));
    expect(statuses(record)).toEqual(["a: changed", "b: skipped", "r: skipped"]);
    expect(record).toMatchObject({ reboots: 0, converged: true });
    expect(recapLine(record)).toContain("changed=1 failed=0 unreachable=0 skipped=2");
  });

  it("reboots at the reboot step when a changed step asked for it, and judges what needs it after that", async () => {
    const host = newHost();
    const steps = `${file("a", "    reboot: if-changed\n")}  - name: r\n    reboot: {}\n  - name: later\n    needs: [r]\n    assert: { that: kernel-release, want: 6.8.0-45-generic }\n`;
    const record = await provisionHost(context(host, smallPlaybook(steps)));
    expect(statuses(record)).toEqual(["a: changed", "r: changed", "later: ok"]);
    expect(record.reboots).toBe(1);
    expect(host.read("proc/sys/kernel/random/boot_id")).not.toBe("boot-0\n");
  });

  it("reboots for a step of an earlier run that did not live to do it, and only once", async () => {
    const host = newHost();
    const asks = file("a", "    reboot: if-changed\n");
    await provisionHost(context(host, smallPlaybook(asks)));
    const whole = smallPlaybook(`${asks}  - name: r\n    reboot: {}\n`);
    const resumed = await provisionHost(context(host, whole));
    expect(statuses(resumed)).toEqual(["a: ok", "r: changed"]);
    expect(resumed).toMatchObject({ reboots: 1, converged: true });
    expect(await provisionHost(context(host, whole))).toMatchObject({ reboots: 0 });
  });

  it("fails when an assertion does not hold after the changes", async () => {
    const host = newHost();
    const steps = `${file("a")}  - name: later\n    needs: [a]\n    assert: { that: kernel-release, want: 6.5.0-35-generic }\n`;
    const { record, error } = await recorded(context(host, smallPlaybook(steps)));
    expect(statuses(record)).toEqual(["a: changed", "later: failed"]);
    expect(error).toMatchObject({
      code: "STEP_FAILED",
      message: expect.stringContaining("found 6.8.0-45-generic, wanted 6.5.0-35-generic"),
    });
  });

  it("gives bash in a playbook its variables and each card", async () => {
    const host = newHost();
    const steps = `  - name: each\n    assert:\n      each: intel-gpus\n      check: |\n        echo "$GPU_BDF $GPU_DEVICE_ID $WORD"\n        test "$GPU_BDF" = 0000:03:00.0\n`;
    const playbook = smallPlaybook(steps, "vars: { word: it's }\n");
    const error = await provisionHost(context(host, playbook)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).message).toContain("each (0000:07:00.0)");
    expect((error as AppError).message).not.toContain("each (0000:03:00.0)");
  });
});

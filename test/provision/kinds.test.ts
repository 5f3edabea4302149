import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkHost } from "../../src/provision/check-host.ts";
import { provisionHost } from "../../src/provision/provision-host.ts";
import type { ProvisionRecord } from "../../src/provision/provision-record.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { goodFacts } from "../fakes/host-facts.ts";
import { smallPlaybook } from "../fakes/shipped-playbook.ts";
import { type StubHost, stubHost } from "../fakes/stub-host.ts";

let host: StubHost;
beforeEach(() => {
  host = stubHost();
});
afterEach(() => host.remove());

/** What the kinds need of a host besides what they ask it themselves. */
const facts = goodFacts({ kernel: { ...goodFacts().kernel, running: "6.8.0-45-generic" } });

function provision(steps: string): Promise<ProvisionRecord> {
  const playbook = smallPlaybook(steps);
  return provisionHost({
    shell: host.shell,
    clock: new FakeClock(),
    console: fakeConsole(),
    playbook,
    facts,
    root: host.root,
  });
}

async function check(steps: string) {
  return (await checkHost({ shell: host.shell, playbook: smallPlaybook(steps), facts, root: host.root })).steps;
}

const statuses = (record: ProvisionRecord) => record.steps.map(({ status }) => status);
const changes = () =>
  host
    .commands()
    .filter((line) =>
      /^(apt-get|apt-mark (un)?hold|systemctl (enable|restart|mask)|usermod|update-grub|grub-(set|reboot))/.test(line),
    );

describe("apt", () => {
  const kernel =
    "  - name: k\n    apt: { packages: [linux-image-6.5.0-35-generic], boot_free_mb: 300 }\n    hold: true\n";

  it("installs what is missing, holds it, and finds nothing to do after that", async () => {
    expect(statuses(await provision(kernel))).toEqual(["changed"]);
    expect(host.read("state/held")).toBe("linux-image-6.5.0-35-generic\n");
    expect(statuses(await provision(kernel))).toEqual(["ok"]);
  });

  it("names the version that apt would take", async () => {
    expect((await check(kernel))[0]?.diff).toBe(
      "-linux-image-6.5.0-35-generic absent\n+linux-image-6.5.0-35-generic 6.5.0-35.35~22.04.1",
    );
    const unknown = await check("  - name: k\n    apt: { packages: [no-such] }\n");
    expect(unknown[0]?.diff).toBe("-no-such absent\n+no-such installed");
  });

  it("never lets apt ask, restart services, or wait for ever", async () => {
    await provision(kernel);
    const install = host.commands().find((line) => /^apt-get .* install/.test(line) && !line.includes(" -s "));
    expect(install).toContain(
      "-y -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold",
    );
  });

  it("waits for the lists lock, which apt itself does not", async () => {
    host.write("state/lists-locked", "3");
    expect(statuses(await provision(kernel))).toEqual(["changed"]);
    expect(host.commands().filter((line) => / update$/.test(line))).toHaveLength(4);
  });

  it("names the nearest kernel when the archive does not have the wanted one", async () => {
    host.write("state/offered", "linux-image-6.5.0-44-generic 6.5.0-44.44\nlinux-image-6.8.0-45-generic 6.8.0-45.45\n");
    await expect(provision(kernel)).rejects.toMatchObject({
      code: "STEP_FAILED",
      hint: expect.stringMatching(
        /No repository .* offers linux-image-6\.5\.0-35-generic\. Nearest: linux-image-6\.5\.0-44-generic/,
      ),
    });
    expect(host.commands().some((line) => / install /.test(line))).toBe(false);
  });

  it("names the versions on offer when the pinned one is not among them", async () => {
    host.write("state/offered", "intel-i915-dkms 1.25.1.15+i1\n");
    await expect(provision("  - name: d\n    apt: { packages: [intel-i915-dkms=1.24.2.17] }\n")).rejects.toMatchObject({
      hint: "No repository of this host offers intel-i915-dkms 1.24.2.17. Offered: 1.25.1.15+i1",
    });
  });

  it("refuses an installation that would remove something nobody asked for", async () => {
    host.write("state/removes", "openssh-server");
    await expect(provision(kernel)).rejects.toMatchObject({
      message: expect.stringContaining("apt would remove openssh-server, which nobody asked for"),
    });
    expect(host.read("state/installed")).not.toContain("6.5.0-35");
  });

  it("allows a removal that the playbook names", async () => {
    host.write("state/removes", "old-driver");
    const step = "  - name: k\n    apt: { packages: [gawk], may_remove: [old-driver] }\n";
    expect(statuses(await provision(step))).toEqual(["changed"]);
  });

  it("repairs a half configured dpkg first", async () => {
    host.write("state/broken", "intel-i915-dkms\n");
    await provision(kernel);
    const commands = host.commands();
    expect(commands.indexOf("dpkg --configure -a")).toBeGreaterThan(-1);
    expect(commands.indexOf("dpkg --configure -a")).toBeLessThan(commands.findIndex((line) => / install /.test(line)));
  });

  it("fails when the driver does not build on the running kernel, with the last lines", async () => {
    host.write("state/offered", "intel-i915-dkms 1.24.2\n");
    const step = "  - name: d\n    apt: { packages: [intel-i915-dkms] }\n    remedy: See make.log\n";
    host.write("state/installed", "");
    await expect(provision(step)).rejects.toMatchObject({ code: "STEP_FAILED", hint: "See make.log" });
  });

  it("only holds when everything is installed", async () => {
    host.write("state/installed", "gawk 5.1\n");
    await provision("  - name: k\n    apt: { packages: [gawk] }\n    hold: true\n");
    expect(changes()).toEqual(["apt-mark hold gawk"]);
  });
});

describe("hold", () => {
  it("leaves packages alone that are not installed", async () => {
    const step = "  - name: h\n    hold: { packages: [linux-generic-hwe-22.04, linux-generic], if_installed: true }\n";
    expect(statuses(await provision(step))).toEqual(["changed"]);
    expect(host.read("state/held")).toBe("linux-generic-hwe-22.04\n");
    expect(statuses(await provision(step))).toEqual(["ok"]);
  });
});

describe("apt_repo", () => {
  const good = "E0258B57D9C442D5DB1855C271740E4DE392BFE3";
  const step = `  - name: r
    apt_repo:
      file: intel.list
      line: deb [signed-by=/usr/share/keyrings/i.gpg] https://repositories.intel.com/gpu/ubuntu jammy client
      key: { url: "https://repositories.intel.com/key", keyring: /usr/share/keyrings/i.gpg, fingerprints: ${good} }
`;

  it("writes the list and the keyring", async () => {
    expect(statuses(await provision(step))).toEqual(["changed"]);
    expect(host.read("etc/apt/sources.list.d/intel.list")).toMatch(/^deb .* jammy client\n$/);
    expect(statuses(await provision(step))).toEqual(["ok"]);
  });

  it("refuses a key with another fingerprint and installs nothing", async () => {
    host.write("state/key-fingerprint", "A".repeat(40));
    await expect(provision(step)).rejects.toMatchObject({ code: "STEP_FAILED", hint: expect.stringContaining(good) });
    expect(existsSync(join(host.root, "usr/share/keyrings/i.gpg"))).toBe(false);
    expect(existsSync(join(host.root, "etc/apt/sources.list.d/intel.list"))).toBe(false);
  });
});

describe("file", () => {
  const step = '  - name: f\n    file: { path: /etc/x/y.conf, mode: "0600", content: "a b\\n\\n" }\n';

  it("writes content to the byte, and the mode", async () => {
    await provision(step);
    expect(host.read("etc/x/y.conf")).toBe("a b\n\n");
    expect(statSync(join(host.root, "etc/x/y.conf")).mode & 0o777).toBe(0o600);
    expect(statuses(await provision(step))).toEqual(["ok"]);
  });

  it("notices one newline less", async () => {
    host.write("etc/x/y.conf", "a b\n");
    const [row] = await check(step);
    expect(row).toMatchObject({ status: "would-change", before: "/etc/x/y.conf differs" });
    expect(row?.diff).toBe("--- /etc/x/y.conf\n+++ /etc/x/y.conf\n@@ -1 +1,2 @@\n a b\n+");
  });

  it("shows a new file under its own name, and none for a mode", async () => {
    expect((await check(step))[0]?.diff).toBe("--- /dev/null\n+++ /etc/x/y.conf\n@@ -0,0 +1,2 @@\n+a b\n+");
    host.write("etc/x/y.conf", "a b\n\n");
    expect((await check(step))[0]?.diff).toBe("-/etc/x/y.conf has mode 644\n+mode 600");
  });

  it("treats content as text, whatever it holds", async () => {
    await provision(
      '  - name: f\n    file: { path: /etc/x/y, content: "$(touch /tmp/never) `id` \\"q\\" %s \\\\n" }\n',
    );
    expect(host.read("etc/x/y")).toBe('$(touch /tmp/never) `id` "q" %s \\n');
  });
});

describe("unit", () => {
  const step = `  - name: u
    unit:
      name: x.service
      content: |
        [Service]
        ExecStart=/bin/tool set 1
      state: enabled-started
`;

  it("installs, enables and starts a unit", async () => {
    host.write("bin/tool", "exit 0");
    expect(statuses(await provision(step))).toEqual(["changed"]);
    expect(host.read("state/enabled")).toBe("x.service\n");
    expect(host.commands()).toContain("systemctl daemon-reload");
    expect(statuses(await provision(step))).toEqual(["ok"]);
  });

  it("fails when the unit does not start", async () => {
    host.write("bin/tool", "exit 1");
    await expect(provision(step)).rejects.toMatchObject({ code: "STEP_FAILED" });
  });

  it("starts a unit again that was stopped", async () => {
    host.write("bin/tool", "exit 0");
    await provision(step);
    host.write("state/active", "");
    expect((await check(step))[0]).toMatchObject({ before: "x.service enabled, inactive", after: "enabled, active" });
    expect(statuses(await provision(step))).toEqual(["changed"]);
  });
});

describe("sysfs", () => {
  const step =
    "  - name: s\n    sysfs: { path: /sys/devices/system/cpu/cpufreq/policy*/scaling_governor, value: performance }\n";

  it("writes every file that matches", async () => {
    await provision(step);
    expect(host.read("sys/devices/system/cpu/cpufreq/policy1/scaling_governor")).toBe("performance\n");
    expect(statuses(await provision(step))).toEqual(["ok"]);
  });

  it("wants a change when there is no such file", async () => {
    const none = "  - name: s\n    sysfs: { path: /sys/none, value: x }\n";
    expect((await check(none))[0]).toMatchObject({ status: "would-change", before: "no /sys/none" });
  });
});

describe("groups", () => {
  it("adds the login user and opens the session again", async () => {
    const step = "  - name: g\n    groups: { add: [render, video] }\n";
    expect(statuses(await provision(step))).toEqual(["changed"]);
    expect(host.read("state/groups")).toContain("render");
    expect(host.shell.reconnects).toBe(1);
    expect(statuses(await provision(step))).toEqual(["ok"]);
    expect(host.shell.reconnects).toBe(1);
  });
});

describe("container_image", () => {
  const step = "  - name: i\n    container_image: { image: vllm/serve:1 }\n";
  const asked = () => host.commands().filter((line) => line.startsWith("docker"));

  it("pulls an image that is not there, once", async () => {
    host.write("state/active", "docker.service\n");
    expect(statuses(await provision(step))).toEqual(["changed"]);
    expect(statuses(await provision(step))).toEqual(["ok"]);
    expect(asked().filter((line) => line.startsWith("docker pull"))).toHaveLength(1);
  });

  it("does not start a docker that sleeps behind its socket to find out", async () => {
    host.write("state/active", "docker.socket\n");
    host.write("state/images", "vllm/serve:1\n");
    expect((await check(step))[0]).toMatchObject({
      status: "would-change",
      before: "docker is not started, so its images are not known",
    });
    expect(asked()).toEqual([]);
    expect(host.read("state/active")).toBe("docker.socket\n");
  });

  it("pulls nothing that turns out to be there once docker may be started", async () => {
    host.write("state/active", "docker.socket\n");
    host.write("state/images", "vllm/serve:1\n");
    expect(statuses(await provision(step))).toEqual(["changed"]);
    expect(asked().filter((line) => line.startsWith("docker pull"))).toEqual([]);
    expect(statuses(await provision(step))).toEqual(["ok"]);
  });
});

describe("kernel", () => {
  const image = "  - name: i\n    apt: { packages: [linux-image-6.5.0-35-generic] }\n";
  const direct = `${image}  - name: k\n    kernel: { release: 6.5.0-35-generic }\n`;
  const trial = `${image}  - name: k\n    kernel: { release: 6.5.0-35-generic, trial: { timeout: 5m } }\n`;
  const id = "gnulinux-advanced-U>gnulinux-6.5.0-35-generic-advanced-U";

  it("boots it and saves it as default by id, without touching /etc/default/grub", async () => {
    const record = await provision(direct);
    expect(record).toMatchObject({ reboots: 1, converged: true });
    expect(host.read("boot/grub/grubenv")).toBe(`saved_entry=${id}\n`);
    expect(host.read("etc/default/grub")).toBe("GRUB_DEFAULT=0\n");
    expect(host.read("etc/default/grub.d/90-arc-vllm.cfg")).toContain("GRUB_DEFAULT=saved");
  });

  it("tries it once and makes it the default only after it came up", async () => {
    const record = await provision(trial);
    expect(record).toMatchObject({ reboots: 1, converged: true });
    const commands = host.commands();
    const old = commands.findIndex((line) => line.startsWith("grub-set-default") && line.includes("6.8.0-45"));
    const once = commands.indexOf(`grub-reboot ${id}`);
    const commit = commands.indexOf(`grub-set-default ${id}`);
    expect([old < once, once < commands.findIndex((line) => line.startsWith("systemd-run")), commit > once]).toEqual([
      true,
      true,
      true,
    ]);
    expect(existsSync(join(host.root, "var/lib/arc-vllm/trial"))).toBe(false);
    expect(existsSync(join(host.root, "etc/systemd/system/arc-vllm-trial.timer"))).toBe(false);
  });

  it("says so when the host fell back to its old kernel", async () => {
    host.write("state/panics", "6.5.0-35-generic\n");
    await expect(provision(trial)).rejects.toMatchObject({
      code: "STEP_FAILED",
      message: expect.stringContaining("kernel 6.5.0-35-generic did not come up"),
      hint: expect.stringContaining("fell back to 6.8.0-45-generic"),
    });
    expect(host.read("boot/grub/grubenv")).toContain(
      "saved_entry=gnulinux-advanced-U>gnulinux-6.8.0-45-generic-advanced-U",
    );
    expect(existsSync(join(host.root, "var/lib/arc-vllm/trial"))).toBe(false);
  });

  it.each(["vmlinuz", "initrd.img"])("does not touch GRUB when %s of the kernel is empty", async (file) => {
    host.write(`boot/${file}-6.5.0-35-generic`, "");
    host.write("boot/vmlinuz-6.5.0-35-generic", file === "vmlinuz" ? "" : "k");
    const step = trial.slice(image.length);
    await expect(provision(step)).rejects.toMatchObject({
      message: expect.stringContaining(`/boot/${file}-6.5.0-35-generic is missing or empty`),
      hint: expect.stringContaining("--reinstall linux-image-6.5.0-35-generic"),
    });
    expect(changes()).toEqual([]);
  });

  it("refuses a trial where GRUB cannot forget the trial entry", async () => {
    host.write("state/grub-probe", "lvm\n");
    await expect(provision(trial)).rejects.toMatchObject({ hint: expect.stringContaining("trial: false") });
    expect(host.commands().some((line) => line.startsWith("systemd-run"))).toBe(false);
  });

  it("does not reboot without the kernel's files", async () => {
    const step = "  - name: k\n    kernel: { release: 6.5.0-41-generic }\n";
    await expect(provision(step)).rejects.toMatchObject({
      message: expect.stringContaining("/boot/vmlinuz-6.5.0-41-generic is missing"),
    });
  });
});

describe("shell", () => {
  const playbook = (check: string, apply = "true") =>
    `  - name: s\n    shell:\n      check: |\n        ${check}\n      apply: |\n        ${apply}\n`;

  it("stops at the first command that fails", async () => {
    expect((await check(playbook("false\n        true")))[0]?.status).toBe("would-change");
    await expect(
      provision(playbook("test -e $ARC_ROOT/never", "false\n        touch $ARC_ROOT/never")),
    ).rejects.toMatchObject({ code: "STEP_FAILED" });
  });

  it("stops at a variable that does not exist", async () => {
    expect((await check(playbook('test -z "$NOBODY"')))[0]?.status).toBe("would-change");
  });

  it("fails alone when it is no bash", async () => {
    const rows = await check(`${playbook("if then")}  - name: t\n    file: { path: /etc/z, content: a }\n`);
    expect(rows.map(({ status }) => status)).toEqual(["would-change", "would-change"]);
  });

  it("is not converged when applying does not help", async () => {
    await expect(provision(playbook("false", "echo tried"))).rejects.toMatchObject({
      code: "STEP_FAILED",
      message: expect.stringContaining("Applied, but the check still says"),
    });
  });
});

describe("verify and when", () => {
  it("wants a change when only the playbook's verify fails", async () => {
    host.write("etc/a", "x");
    const step = (verify: string) =>
      `  - name: f\n    file: { path: /etc/a, content: x }\n    verify: |\n      ${verify}\n`;
    expect((await check(step("true")))[0]?.status).toBe("ok");
    expect((await check(step("false\n      true")))[0]).toMatchObject({
      status: "would-change",
      before: "not as it must be",
    });
  });

  it("skips a step that does not apply to the host", async () => {
    const step = "  - name: f\n    when: test -e /no/such\n    file: { path: /etc/a, content: x }\n";
    expect(statuses(await provision(step))).toEqual(["skipped"]);
    expect(existsSync(join(host.root, "etc/a"))).toBe(false);
  });
});

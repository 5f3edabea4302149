import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { openShell } from "../../src/adapters-shell/open-shell.ts";
import type { Playbook } from "../../src/playbook/playbook.ts";
import { undoHost } from "../../src/provision/undo-host.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { type LabHost, startLabHost } from "./lab-host.ts";
import { type Moment, randomPulls, runAndPull, stepOf } from "./plug-pull.ts";
import { a770Playbook, a770Vars, provision } from "./provision.ts";

const OLD_KERNEL = "6.8.0-45-generic";
const PINNED_KERNEL = "6.5.0-35-generic";
/** `ARC_VLLM_LAB_PULLS=10 ARC_VLLM_LAB_SEED=… npm run test:lab` pulls the plug ten times, and at the same moments again. */
const PULLS = Number(process.env["ARC_VLLM_LAB_PULLS"] ?? 3);
const SEED = process.env["ARC_VLLM_LAB_SEED"] ?? new Date().toISOString();

/** The host is one machine with a history: each test starts where the one before it ended. */
describe("provisionHost() with the A770 playbook", () => {
  let host: LabHost;
  let playbook: Playbook;
  /** What the first run that went through said, and when. */
  const moments: Moment[] = [];
  beforeAll(async () => {
    host = await startLabHost({ hardware: "rebar-off", keepDisks: true });
    playbook = await a770Playbook(host);
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  it("refuses a host without Resizable BAR before it touches anything", async () => {
    const before = await host.rootOk(FINGERPRINT);
    await expect(provision(host, playbook)).rejects.toMatchObject({ code: "HOST_NOT_READY" });
    expect(await host.rootOk(FINGERPRINT)).toBe(before);
  });

  it("brings the host to the good state although apt is busy and the connection is cut in the middle of dpkg", async () => {
    await host.powerCut();
    host.powerOn("rebar-on");
    await host.waitForSsh();
    await host.rootOk(HOLD_LISTS_LOCK);

    const hindered = new Set<string>();
    const hinder = (line: string) => {
      if (/held by process/.test(line) && !hindered.has("apt")) {
        hindered.add("apt");
        void host.root("systemctl stop lists-lock");
      }
      if (line.startsWith("Setting up linux-image") && !hindered.has("connection")) {
        hindered.add("connection");
        void host.root("pkill -KILL -f '^sshd: bench'");
      }
    };
    const onLine = (line: string, atMs: number) => {
      const step = stepOf(line);
      if (step !== null) moments.push({ step, atMs });
    };
    const record = await provision(host, playbook, { onProgress: hinder, onLine });

    expect([...hindered]).toEqual(["apt", "connection"]);
    expect(record.steps.filter(({ status }) => status === "failed" || status === "blocked")).toEqual([]);
    expect(record.reboots).toBe(2);
    expect(record.converged).toBe(true);
    expect(host.boots.slice(1)).toEqual([OLD_KERNEL, PINNED_KERNEL, PINNED_KERNEL]);
    expect(await host.rootOk(STATE)).toBe(GOOD_STATE);
  });

  it("changes nothing in a second run, also after a power cut", async () => {
    await host.powerCut();
    host.powerOn();
    await host.waitForSsh();
    const record = await provision(host, playbook);
    expect(record.steps.filter(({ status }) => status === "changed")).toEqual([]);
    expect(record.reboots).toBe(0);
  });

  it("is undone to the kernel and the packages from before", async () => {
    await using shell = await openShell(host.spec, systemClock);
    const record = await undoHost({ shell, clock: systemClock, console: fakeConsole(), runId: null });
    expect(record.steps.filter(({ status }) => status === "failed")).toEqual([]);
    expect(await host.rootOk(INSTALLED)).toBe(`${OLD_KERNEL}\nlinux-image-${OLD_KERNEL}`);
  });

  /** Each on a host of its own, which goes on from where the run above rebooted last before that moment. */
  describe.concurrent(`when the plug is pulled at random moments (seed ${SEED})`, () => {
    beforeAll(() => host.powerCut());

    it.each(Array.from({ length: PULLS }, (_, index) => index))("ends in the good state, pull %i", async (index) => {
      const pull = randomPulls(SEED, PULLS, moments)[index];
      if (pull === undefined) throw new Error("The run that the moments come from did not go through");
      const disk = host.keptDisks[pull.reboots - 1];
      await using own = await startLabHost({ hardware: "rebar-on", ...(disk === undefined ? {} : { disk }) });
      // On that disk the run that left it still holds the host, for minutes after the boot.
      await own.rootOk("rm -f /var/lib/arc-vllm/lease");
      console.log(`${own.spec.name}: pull ${index} of seed ${SEED}: ${JSON.stringify(pull)}`);
      const said = await runAndPull(own, { playbook: { name: A770, vars: await a770Vars(own) } }, pull);
      console.log(
        `${own.spec.name}: the run that was broken ended with\n${said.trim().split("\n").slice(-6).join("\n")}`,
      );

      const record = await provision(own, await a770Playbook(own), { lockWaitMs: 600_000 });
      expect(record.converged).toBe(true);
      expect(await own.rootOk(STATE)).toBe(GOOD_STATE);
    });
  });
});

const A770 = "ubuntu-22.04-a770";

const STATE = `
  uname -r; dpkg --audit; dkms status; cat /sys/module/i915/version
  cat /sys/class/drm/card*/gt_min_freq_mhz; id -nG bench`;
const GOOD_STATE = [
  PINNED_KERNEL,
  `intel-i915-dkms/1.24.2.17.240301.20, ${PINNED_KERNEL}, x86_64: installed`,
  "24.2.17.240301.20",
  "2400",
  "2400",
  "bench video render",
].join("\n");

/** Everything a playbook could have touched. */
const FINGERPRINT = `
  cat /var/lib/dpkg/status /boot/grub/grub.cfg | sha256sum
  find /etc /boot /usr/local /var/lib/apt -newer /proc/1 -type f | grep -v -e /docker/ | sort`;

/** As unattended-upgrades does: holds the lock of the package lists until it is stopped. apt's locks are POSIX locks, not flock. */
const HOLD_LISTS_LOCK = `
  systemd-run --quiet --unit=lists-lock python3 -c '
import fcntl, time
lock = open("/var/lib/apt/lists/lock", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
time.sleep(3600)'`;

/** What undo has to take back: the kernel, the packages and the holds. Removed packages may leave their settings. */
const INSTALLED = `
  uname -r
  dpkg --audit
  dpkg -l 'linux-image-6*' 'intel-*' | awk '/^.i/ { print $2 }'
  apt-mark showhold`;

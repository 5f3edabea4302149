import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { openShell } from "../../src/adapters-shell/open-shell.ts";
import type { Playbook } from "../../src/plan/playbook.ts";
import { undoHost } from "../../src/provision/undo-host.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { type LabHost, startLabHost } from "./lab-host.ts";
import { a770Playbook, provision } from "./provision.ts";

const OLD_KERNEL = "6.8.0-45-generic";
const PINNED_KERNEL = "6.5.0-35-generic";
/** On a busy machine a whole playbook takes a quarter of an hour. */
const LONG_MS = 1_500_000;

/** The host is one machine with a history: each test starts where the one before it ended. */
describe("provisionHost() with the A770 playbook", () => {
  let host: LabHost;
  let playbook: Playbook;
  beforeAll(async () => {
    host = await startLabHost({ hardware: "rebar-off" });
    playbook = await a770Playbook(host);
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  it("refuses a host without Resizable BAR before it touches anything", async () => {
    const before = await host.rootOk(FINGERPRINT);
    await expect(provision(host, playbook)).rejects.toMatchObject({ code: "HOST_NOT_READY" });
    expect(await host.rootOk(FINGERPRINT)).toBe(before);
  });

  it(
    "brings the host to the good state although apt is busy and the connection is cut in the middle of dpkg",
    async () => {
      await host.powerCut();
      host.powerOn("rebar-on");
      await host.waitForSsh();
      await host.rootOk(HOLD_LISTS_LOCK);

      let isCut = false;
      const cutOnce = (line: string) => {
        if (isCut || !line.startsWith("Setting up linux-image")) return;
        isCut = true;
        void host.root("pkill -KILL -f '^sshd: bench'");
      };
      const record = await provision(host, playbook, { onProgress: cutOnce });

      expect(isCut).toBe(true);
      expect(record.steps.filter(({ status }) => status === "failed" || status === "blocked")).toEqual([]);
      expect(record.reboots).toBe(2);
      expect(record.converged).toBe(true);
      expect(host.boots.slice(1)).toEqual([OLD_KERNEL, PINNED_KERNEL, PINNED_KERNEL]);
      expect(
        await host.rootOk(
          "uname -r; dpkg --audit; dkms status; cat /sys/module/i915/version; cat /sys/class/drm/card*/gt_min_freq_mhz; id -nG bench",
        ),
      ).toBe(
        [
          PINNED_KERNEL,
          `intel-i915-dkms/1.24.2.17.240301.20, ${PINNED_KERNEL}, x86_64: installed`,
          "24.2.17.240301.20",
          "2400",
          "2400",
          "bench video render",
        ].join("\n"),
      );
    },
    LONG_MS,
  );

  it("changes nothing in a second run", async () => {
    const record = await provision(host, playbook);
    expect(record.steps.filter(({ status }) => status === "changed")).toEqual([]);
    expect(record.reboots).toBe(0);
  });

  it("keeps everything over a power cut", async () => {
    await host.powerCut();
    host.powerOn();
    await host.waitForSsh();
    const record = await provision(host, playbook);
    expect(record.steps.filter(({ status }) => status === "changed")).toEqual([]);
  });

  it(
    "is undone to the kernel and the packages from before",
    async () => {
      await using shell = await openShell(host.spec, systemClock);
      const record = await undoHost({ shell, clock: systemClock, console: fakeConsole(), runId: null });
      expect(record.steps.filter(({ status }) => status === "failed")).toEqual([]);
      expect(await host.rootOk(INSTALLED)).toBe(`${OLD_KERNEL}\nlinux-image-${OLD_KERNEL}`);
    },
    LONG_MS,
  );
});

/** Everything a playbook could have touched. */
const FINGERPRINT = `
  cat /var/lib/dpkg/status /boot/grub/grub.cfg | sha256sum
  find /etc /boot /usr/local /var/lib/apt -newer /proc/1 -type f | grep -v -e /docker/ | sort`;

/** As unattended-upgrades does: holds the lock of the package lists for a while. apt's locks are POSIX locks, not flock. */
const HOLD_LISTS_LOCK = `
  systemd-run --quiet --unit=lists-lock python3 -c '
import fcntl, time
lock = open("/var/lib/apt/lists/lock", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
time.sleep(60)'`;

/** What undo has to take back: the kernel, the packages and the holds. Removed packages may leave their settings. */
const INSTALLED = `
  uname -r
  dpkg --audit
  dpkg -l 'linux-image-6*' 'intel-*' | awk '/^.i/ { print $2 }'
  apt-mark showhold`;

import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type FakeHandler, type FakeShell, fakeShell } from "./fake-shell.ts";

/** What the stub plays. */
const COMMANDS =
  "uname nproc sync id getent groupadd usermod gpasswd sudo dpkg dpkg-query apt-mark apt-cache apt-get gpg curl update-grub update-initramfs grub-editenv grub-set-default grub-reboot grub-probe dkms modinfo mokutil dmesg df journalctl systemd-run systemctl docker".split(
    " ",
  );

/** Real tools that scripts use. No other is on PATH, so that no script can touch the machine that runs the tests. */
const HARMLESS =
  "bash cat sed grep awk tr cut sort head tail ls mkdir mv cp rm chmod stat readlink diff tee sleep timeout find od env touch".split(
    " ",
  );

/** A directory that plays an Ubuntu 22.04 host with two A770, on which scripts really run in bash, with stub commands. */
export interface StubHost {
  readonly root: string;
  readonly shell: FakeShell;
  /** Every system command that was called, in order. */
  commands(): readonly string[];
  read(path: string): string;
  write(path: string, text: string): void;
  remove(): void;
}

/** `before` sees every script first: return a result to play a failure instead of running it. */
export function stubHost(before: FakeHandler = () => ({})): StubHost {
  const root = mkdtempSync(join(tmpdir(), "arc-vllm-stub-"));
  const bin = join(root, "stub-bin");
  mkdirSync(bin);
  cpSync(join(import.meta.dirname, "stub-host.sh"), join(bin, "stub"));
  chmodSync(join(bin, "stub"), 0o755);
  for (const name of COMMANDS) symlinkSync("stub", join(bin, name));
  for (const name of HARMLESS) symlinkSync(join("/usr/bin", name), join(bin, name));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(badHost())) write(path, text);

  const shell = fakeShell(async (script) => {
    const played = await before(script);
    if (Object.keys(played).length > 0) return played;
    const env = { PATH: bin, LC_ALL: "C", HOME: root, ...script.env, ARC_ROOT: root, ARC_RETRY_S: "0" };
    return await new Promise((resolve) => {
      execFile("/bin/bash", ["-c", script.text], { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ exitCode, stdout, stderr });
      });
    });
  });
  return {
    root,
    shell,
    commands: () => readFileSync(join(root, "state/log"), "utf8").trim().split("\n"),
    read: (path) => readFileSync(join(root, path), "utf8"),
    write,
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Wrong kernel, no driver package, clocks free, user without groups. */
function badHost(): Record<string, string> {
  const kernelParts = ["image", "headers", "modules-extra", "tools"];
  const offered = [...kernelParts.map((part) => `linux-${part}-6.5.0-35-generic 6.5.0-35.35~22.04.1`)];
  offered.push(...["gawk 5.1", "dkms 2.8.7", "libc6-dev 2.35", "flex 2.6", "bison 3.8"]);
  return {
    "etc/os-release": 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\n',
    "etc/default/grub": "GRUB_DEFAULT=0\n",
    "proc/cpuinfo": "model name\t: Test CPU\n",
    "proc/meminfo": "MemTotal:       65536000 kB\n",
    "proc/sys/kernel/random/boot_id": "boot-0\n",
    "boot/vmlinuz-6.8.0-45-generic": "k",
    "boot/initrd.img-6.8.0-45-generic": "i",
    "boot/grub/grubenv": "",
    "boot/grub/grub.cfg": grubCfg("6.8.0-45-generic"),
    "lib/modules/6.8.0-45-generic/build/include/x": "",
    "sys/module/i915/srcversion": "TREE\n",
    ...cpuPolicy(0, 5_800_000),
    ...cpuPolicy(1, 3_000_000),
    ...card("0000:03:00.0"),
    ...card("0000:07:00.0"),
    "dev/dri/renderD128": "",
    "dev/dri/renderD129": "",
    "state/log": "",
    "state/running": "6.8.0-45-generic\n",
    "state/installed": "linux-image-6.8.0-45-generic 6.8.0-45.45\nlinux-generic-hwe-22.04 6.8.0-45.45\n",
    "state/offered": `${offered.join("\n")}\n`,
    "state/offered-by-intel":
      "intel-i915-dkms 1.24.2.17.240301.20+i29-1\nintel-i915-dkms 1.25.1.15+i1\nintel-fw-gpu 2024.17.5\n",
    "state/key-fingerprint": "E0258B57D9C442D5DB1855C271740E4DE392BFE3",
    "state/groups": "bench sudo\n",
    "state/session": "bench sudo\n",
    "state/held": "",
    "state/enabled": "",
    "state/active": "",
  };
}

function grubCfg(release: string): string {
  const entry = (id: string) =>
    `menuentry 'x' $menuentry_id_option '${id}' {\n\tlinux\t/boot/vmlinuz-${release} root=U\n`;
  return `${entry("gnulinux-simple-U")}}\nsubmenu 'a' $menuentry_id_option 'gnulinux-advanced-U' {\n\t${entry(`gnulinux-${release}-advanced-U`)}\t}\n}\n`;
}

function cpuPolicy(index: number, topKhz: number): Record<string, string> {
  const folder = `sys/devices/system/cpu/cpufreq/policy${index}`;
  return {
    [`${folder}/scaling_driver`]: "intel_pstate\n",
    [`${folder}/scaling_governor`]: "powersave\n",
    [`${folder}/scaling_min_freq`]: "800000\n",
    [`${folder}/scaling_max_freq`]: `${topKhz}\n`,
    [`${folder}/cpuinfo_max_freq`]: `${topKhz}\n`,
  };
}

function card(bdf: string): Record<string, string> {
  const folder = `sys/bus/pci/devices/${bdf}`;
  const clock = `${folder}/drm/card${bdf.slice(6, 7)}/gt/gt0`;
  return {
    [`${folder}/vendor`]: "0x8086\n",
    [`${folder}/class`]: "0x030000\n",
    [`${folder}/device`]: "0x56a0\n",
    [`${folder}/resource`]: "0x81000000 0x81ffffff 0x0\n0x0 0x0 0x0\n0x0000006000000000 0x00000063ffffffff 0x14220c\n",
    [`${folder}/drm/renderD128/dev`]: "226:128\n",
    [`${folder}/driver/module/x`]: "",
    [`${clock}/rps_min_freq_mhz`]: "300\n",
    [`${clock}/rps_max_freq_mhz`]: "2400\n",
    [`${clock}/rps_RPn_freq_mhz`]: "300\n",
    [`${clock}/rps_RP0_freq_mhz`]: "2400\n",
  };
}

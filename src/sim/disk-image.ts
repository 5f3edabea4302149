import { writeLists } from "../sim-commands/apt-commands.ts";
import { regenerateGrub } from "../sim-commands/grub-commands.ts";
import { installPackage } from "../sim-commands/package-state.ts";
import { ROOT_UUID, renderGrubEnv } from "../sim-machine/grub.ts";
import { MachineDisk } from "../sim-machine/machine-disk.ts";
import { ARCHIVE_KERNELS, KERNEL_PARTS } from "../sim-machine/package-catalog.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";

/** The kernel that the bad state runs: 22.04.5's HWE kernel, on which the A-series dkms builds fail. */
export const INITIAL_KERNEL = "6.8.0-45-generic";

/** Model folders that are on the host, with the fields of their config.json that engines read. */
export const MODEL_FOLDER = "/srv/models";

/** An Ubuntu 22.04.5 server as it comes out of an installation, with docker and models, and nothing tuned. */
export function newDisk(user: string): MachineDisk {
  const disk = new MachineDisk();
  for (const folder of [
    "/usr/bin",
    "/etc/default/grub.d",
    "/etc/apt/sources.list.d",
    "/usr/share/keyrings",
    "/boot/grub",
  ]) {
    disk.mkdirSync(folder, { recursive: true });
  }
  for (const folder of [
    "/root",
    `/home/${user}`,
    "/var/log",
    "/var/lib/dpkg",
    "/var/tmp",
    "/opt",
    "/mnt",
    "/etc/systemd/system",
  ]) {
    disk.mkdirSync(folder, { recursive: true });
  }
  for (const [path, text] of Object.entries(systemFiles(user))) disk.addFile(path, text);
  for (const [path, text] of Object.entries(UNIT_FILES)) disk.addFile(path, text);
  for (const name of ["null", "zero", "full", "stdin", "stdout", "stderr", "tty"]) disk.addFile(`/dev/${name}`, "");
  for (const [name, config] of Object.entries(MODELS)) addModel(disk, name, config);
  return disk;
}

/** Links, packages and the boot menu, which need the machine around the disk. */
export async function furnishMachine(machine: VirtualMachine): Promise<void> {
  const { disk } = machine;
  await disk.addSymlink("usr/bin", "/bin");
  await disk.addSymlink("usr/bin", "/sbin");
  await disk.addSymlink("bin", "/usr/sbin");
  for (const unit of ENABLED)
    await disk.addSymlink(`/lib/systemd/system/${unit}`, `/etc/systemd/system/${targetOf(unit)}.wants/${unit}`);
  machine.aptSources = ((await disk.readText("/etc/apt/sources.list")) ?? "")
    .split("\n")
    .filter((line) => line.startsWith("deb "));
  writeLists(machine);
  for (const [name, version] of initialPackages()) await installPackage(machine, { name, version }, true);
  await disk.writeFile("/boot/grub/grubenv", renderGrubEnv({}));
  await regenerateGrub(machine);
}

function initialPackages(): [string, string][] {
  const kernels = [INITIAL_KERNEL, "6.8.0-40-generic"].flatMap((release) =>
    KERNEL_PARTS.filter((part) => part !== "tools").map((part): [string, string] => [
      `linux-${part}-${release}`,
      ARCHIVE_KERNELS[release] as string,
    ]),
  );
  const metas = ["linux-generic-hwe-22.04", "linux-image-generic-hwe-22.04", "linux-headers-generic-hwe-22.04"];
  return [...kernels, ...metas.map((name): [string, string] => [name, "6.8.0-45.45~22.04.1"]), ...BASE_PACKAGES];
}

const BASE_PACKAGES: readonly [string, string][] = [
  ["linux-firmware", "20220329.git681281e4-0ubuntu3.34"],
  ["initramfs-tools", "0.140ubuntu13.4"],
  ["grub-efi-amd64", "2.06-2ubuntu7.2"],
  ["openssh-server", "1:8.9p1-3ubuntu0.10"],
  ["sudo", "1.9.9-1ubuntu2.4"],
  ["kmod", "29-1ubuntu1"],
  ["udev", "249.11-0ubuntu3.12"],
  ["pciutils", "1:3.7.0-6"],
  ["mokutil", "0.6.0-2~22.04.2"],
  ["gnupg", "2.2.27-3ubuntu2.1"],
  ["curl", "7.81.0-1ubuntu1.18"],
  ["wget", "1.21.2-2ubuntu1.1"],
  ["ca-certificates", "20240203~22.04.1"],
  ["unattended-upgrades", "2.8ubuntu1"],
  ["needrestart", "3.5-5ubuntu2.1"],
  ["docker.io", "24.0.7-0ubuntu2~22.04.1"],
];

function systemFiles(user: string): Record<string, string> {
  return {
    "/etc/hostname": "arc-sim\n",
    "/etc/os-release": OS_RELEASE,
    "/usr/lib/os-release": OS_RELEASE,
    "/etc/passwd": `root:x:0:0:root:/root:/bin/bash\n${user}:x:1000:1000:Simulated user,,,:/home/${user}:/bin/bash\n`,
    // In no group that may open a card.
    "/etc/group": `root:x:0:\nadm:x:4:syslog,${user}\nsudo:x:27:${user}\nvideo:x:44:\nrender:x:109:\ndocker:x:998:\n${user}:x:1000:\n`,
    "/etc/default/grub": GRUB_DEFAULTS,
    "/etc/apt/sources.list":
      "deb http://archive.ubuntu.com/ubuntu jammy main\ndeb http://archive.ubuntu.com/ubuntu jammy-updates main\n",
    "/etc/apt/apt.conf.d/20auto-upgrades":
      'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n',
    "/etc/fstab": `UUID=${ROOT_UUID} / ext4 defaults 0 1\n`,
    "/etc/motd": "This is a simulated host. It touches nothing outside its process.\n",
  };
}

const OS_RELEASE = `PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.5 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
UBUNTU_CODENAME=jammy
`;

const GRUB_DEFAULTS = `GRUB_DEFAULT=0
GRUB_TIMEOUT_STYLE=hidden
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=\`lsb_release -i -s 2> /dev/null || echo Debian\`
GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"
GRUB_CMDLINE_LINUX=""
`;

const ENABLED = [
  "docker.service",
  "ssh.service",
  "unattended-upgrades.service",
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
] as const;

const UNIT_FILES: Readonly<Record<string, string>> = {
  "/lib/systemd/system/docker.service": service("Docker Application Container Engine", "multi-user.target"),
  "/lib/systemd/system/ssh.service": service("OpenBSD Secure Shell server", "multi-user.target"),
  "/lib/systemd/system/unattended-upgrades.service": service("Unattended Upgrades Shutdown", "multi-user.target"),
  "/lib/systemd/system/apt-daily.timer": timer("Daily apt download activities"),
  "/lib/systemd/system/apt-daily-upgrade.timer": timer("Daily apt upgrade and clean activities"),
  "/lib/systemd/system/apt-daily.service": "[Unit]\nDescription=Daily apt download activities\n",
  "/lib/systemd/system/apt-daily-upgrade.service": "[Unit]\nDescription=Daily apt upgrade and clean activities\n",
};

/** No command line: such a unit is simply active. */
function service(description: string, target: string): string {
  return `[Unit]\nDescription=${description}\n[Install]\nWantedBy=${target}\n`;
}

function timer(description: string): string {
  return `[Unit]\nDescription=${description}\n[Timer]\nOnCalendar=*-*-* 6,18:00\n[Install]\nWantedBy=timers.target\n`;
}

function targetOf(unit: string): string {
  return unit.endsWith(".timer") ? "timers.target" : "multi-user.target";
}

const MODELS: Readonly<Record<string, Record<string, unknown>>> = {
  "Meta-Llama-3.1-8B-Instruct": {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    num_hidden_layers: 32,
    hidden_size: 4096,
    intermediate_size: 14336,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    vocab_size: 128256,
    max_position_embeddings: 131072,
    torch_dtype: "bfloat16",
  },
  "Qwen2.5-14B-Instruct": {
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    num_hidden_layers: 48,
    hidden_size: 5120,
    intermediate_size: 13824,
    num_attention_heads: 40,
    num_key_value_heads: 8,
    vocab_size: 152064,
    max_position_embeddings: 32768,
    torch_dtype: "bfloat16",
  },
};

function addModel(disk: MachineDisk, name: string, config: Record<string, unknown>): void {
  const folder = `${MODEL_FOLDER}/${name}`;
  disk.addFile(`${folder}/config.json`, `${JSON.stringify(config, null, 2)}\n`);
  disk.addFile(`${folder}/tokenizer_config.json`, "{}\n");
  disk.addFile(`${folder}/tokenizer.json`, "{}\n", { size: 9_085_657 });
  disk.addFile(`${folder}/model.safetensors`, "simulated weights\n", { size: 16_060_556_376 });
}

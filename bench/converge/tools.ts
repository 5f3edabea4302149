import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { SshdHost } from "./sshd-hosts.ts";

/** A way to converge hosts: a command line that does nothing when there is nothing to do. */
export interface Tool {
  readonly name: string;
  /** Writes inventory and configuration for these hosts into a folder, and gives what to run there. */
  prepare(hosts: readonly SshdHost[], folder: string): ToolCommand;
}

export interface ToolCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Throws unless the output says that every host had all of the twenty steps and no change. */
  assertNoChange(output: string): void;
}

export interface ToolPaths {
  readonly cli: string;
  readonly venv: string;
  readonly userKey: string;
  readonly userKeyText: string;
}

const here = import.meta.dirname;

/** Every tool of the table, ours first. */
export function tools(paths: ToolPaths): readonly Tool[] {
  return [
    ours("arc-vllm provision, ssh2", "provision", "ssh2", paths),
    ours("arc-vllm provision, ssh client", "provision", "openssh", paths),
    ours("arc-vllm check, ssh2", "check", "ssh2", paths),
    pyinfra(paths),
    ansible("ansible-core, pipelining", ["pipelining = True"], paths),
    ansible("ansible-core, default", [], paths),
  ];
}

function ours(name: string, command: "provision" | "check", transport: string, paths: ToolPaths): Tool {
  return {
    name,
    prepare(hosts, folder) {
      const entries = hosts.map((host) => ({
        name: host.name,
        address: "127.0.0.1",
        port: host.port,
        user: "root",
        "host-key": host.fingerprint,
        transport,
      }));
      const config = { version: 1, hosts: entries, playbook: resolve(here, "twenty-steps.yml") };
      writeFileSync(join(folder, "arc-vllm.yml"), JSON.stringify(config));
      return {
        argv: [process.execPath, paths.cli, command],
        env: { ARC_VLLM_SSH_PRIVATE_KEY: paths.userKeyText },
        assertNoChange(output) {
          const done = command === "check" ? /^host-\d+: ready$/gm : /ok=20 changed=0 failed=0/g;
          assertCount(name, output, done, hosts.length);
        },
      };
    },
  };
}

function pyinfra(paths: ToolPaths): Tool {
  return {
    name: "pyinfra",
    prepare(hosts, folder) {
      const data = hosts.map((host) => [host.name, { ssh_hostname: "127.0.0.1", ssh_port: host.port }]);
      const lines = [
        `hosts = [(name, data) for name, data in ${JSON.stringify(data)}]`,
        `all_hosts = (hosts, {"ssh_user": "root", "ssh_key": "${paths.userKey}", "ssh_allow_agent": False, "ssh_look_for_keys": False, "ssh_known_hosts_file": "${knownHosts(hosts, folder)}", "ssh_strict_host_key_checking": "yes"})`,
      ];
      writeFileSync(join(folder, "inventory.py"), `${lines.join("\n")}\n`);
      return {
        argv: [join(paths.venv, "bin/pyinfra"), "-y", "inventory.py", resolve(here, "twenty-steps-pyinfra.py")],
        env: { HOME: folder },
        assertNoChange: (output) => assertPyinfra(output, hosts.length),
      };
    },
  };
}

function ansible(name: string, sshLines: readonly string[], paths: ToolPaths): Tool {
  return {
    name,
    prepare(hosts, folder) {
      const known = knownHosts(hosts, folder);
      const config = [
        "[defaults]",
        "inventory = inventory.ini",
        "host_key_checking = True",
        `private_key_file = ${paths.userKey}`,
        "remote_user = root",
        // The interpreter is named, so that Ansible need not look for one on each host.
        "interpreter_python = /usr/bin/python3",
        ...(sshLines.length > 0 ? ["forks = 8"] : []),
        "[ssh_connection]",
        ...sshLines,
        `ssh_args = -F /dev/null -C -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${known}`,
        "control_path_dir = /tmp/arc-vllm-converge/cp",
      ];
      writeFileSync(join(folder, "ansible.cfg"), `${config.join("\n")}\n`);
      const lines = hosts.map((host) => `${host.name} ansible_host=127.0.0.1 ansible_port=${host.port}`);
      writeFileSync(join(folder, "inventory.ini"), `${lines.join("\n")}\n`);
      return {
        argv: [join(paths.venv, "bin/ansible-playbook"), resolve(here, "twenty-steps-ansible.yml")],
        env: { HOME: folder, ANSIBLE_CONFIG: join(folder, "ansible.cfg"), ANSIBLE_LOCALHOST_WARNING: "False" },
        assertNoChange: (output) =>
          assertCount(name, output, /ok=20 +changed=0 +unreachable=0 +failed=0/g, hosts.length),
      };
    },
  };
}

function knownHosts(hosts: readonly SshdHost[], folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "known_hosts");
  writeFileSync(path, hosts.map(({ knownHostsLine }) => `${knownHostsLine}\n`).join(""));
  return path;
}

function assertCount(name: string, output: string, pattern: RegExp, wanted: number): void {
  const found = output.match(pattern)?.length ?? 0;
  if (found !== wanted) throw new Error(`${name}: ${found} of ${wanted} hosts without a change:\n${output}`);
}

/** Counts operations that changed nothing; the four commands are facts, and one that fails ends pyinfra with an error. */
function assertPyinfra(output: string, hosts: number): void {
  const wanted = String(16 * hosts);
  const [, total, success, error, noChange] = /Grand total +(\S+) +(\S+) +(\S+) +(\S+)/.exec(output) ?? [];
  if (total === wanted && success === "-" && error === "-" && noChange === wanted) return;
  throw new Error(`pyinfra: not ${wanted} operations without a change:\n${output}`);
}

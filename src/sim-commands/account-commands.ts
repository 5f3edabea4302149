import {
  type Call,
  type CommandResult,
  failed,
  ok,
  type Session,
  type StandIn,
  splitOptions,
} from "../sim-machine/stand-in.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";

/** Users and groups, whose truth is /etc/passwd and /etc/group. */
export const accountCommands: Readonly<Record<string, StandIn>> = {
  id,
  whoami: ({ session }) => ok(session.user),
  groups: async ({ args, machine, session }) => ok((await groupNames(machine, session, args[0])).join(" ")),
  getent,
  groupadd,
  gpasswd,
  usermod,
  adduser: ({ args, machine, session }) => addToGroup(machine, session, args[0] ?? "", [args[1] ?? ""]),
  sudo,
  su: ({ session }) => (session.uid === 0 ? ok() : failed(1, "su: Authentication failure")),
};

/** Groups that a user has at login, read from the account files. */
export async function groupsOf(machine: VirtualMachine, user: string): Promise<string[]> {
  const groups = await readGroups(machine);
  const own = groups.filter(({ name }) => name === user);
  return [...own, ...groups.filter(({ name, members }) => name !== user && members.includes(user))].map(
    ({ name }) => name,
  );
}

interface Group {
  readonly name: string;
  readonly gid: string;
  readonly members: readonly string[];
}

async function readGroups(machine: VirtualMachine): Promise<Group[]> {
  const text = (await machine.disk.readText("/etc/group")) ?? "";
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [name = "", , gid = "", members = ""] = line.split(":");
      return { name, gid, members: members.split(",").filter(Boolean) };
    });
}

async function writeGroups(machine: VirtualMachine, groups: readonly Group[]): Promise<void> {
  const lines = groups.map(({ name, gid, members }) => `${name}:x:${gid}:${members.join(",")}\n`);
  await machine.disk.writeFile("/etc/group", lines.join(""));
}

/** Without a name it is the session that counts, which keeps the groups of its login. */
async function groupNames(
  machine: VirtualMachine,
  session: Session,
  user: string | undefined,
): Promise<readonly string[]> {
  return user === undefined ? session.groups : groupsOf(machine, user);
}

async function id({ args, machine, session }: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(args);
  const flags = [...options.keys()].join("").replaceAll("-", "");
  const user = operands[0] ?? session.user;
  const uid = await uidOf(machine, user);
  if (uid === null) return failed(1, `id: '${user}': no such user`);
  const names = await groupNames(machine, session, operands[0]);
  if (flags.includes("G")) return ok(flags.includes("n") ? names.join(" ") : String(uid));
  if (flags.includes("u")) return ok(flags.includes("n") ? user : String(uid));
  if (flags.includes("g")) return ok(flags.includes("n") ? (names[0] ?? user) : String(uid));
  return ok(`uid=${uid}(${user}) gid=${uid}(${user}) groups=${names.map((name) => `${uid}(${name})`).join(",")}`);
}

async function uidOf(machine: VirtualMachine, user: string): Promise<number | null> {
  const line = ((await machine.disk.readText("/etc/passwd")) ?? "")
    .split("\n")
    .find((text) => text.startsWith(`${user}:`));
  return line === undefined ? null : Number(line.split(":")[2]);
}

async function getent({ args, machine }: Call): Promise<CommandResult> {
  const [database = "", key] = args;
  const text = await machine.disk.readText(`/etc/${database}`);
  if (text === null) return failed(1, `Unknown database: ${database}`);
  const lines = text.split("\n").filter((line) => line !== "" && (key === undefined || line.startsWith(`${key}:`)));
  return lines.length === 0 ? failed(2) : ok(lines.join("\n"));
}

async function groupadd({ args, machine, session }: Call): Promise<CommandResult> {
  if (session.uid !== 0) return failed(10, "groupadd: Permission denied.");
  const name = splitOptions(args, ["-g"]).operands[0] ?? "";
  const groups = await readGroups(machine);
  if (groups.some((group) => group.name === name)) return failed(9, `groupadd: group '${name}' already exists`);
  await writeGroups(machine, [...groups, { name, gid: String(900 + groups.length), members: [] }]);
  return ok();
}

async function gpasswd({ args, machine, session }: Call): Promise<CommandResult> {
  const [action, user = "", group = ""] = args;
  if (action === "-d") return removeFromGroup(machine, session, user, group);
  const result = await addToGroup(machine, session, user, [group]);
  return result.exitCode === 0 ? ok(`Adding user ${user} to group ${group}`) : result;
}

function usermod({ args, machine, session }: Call): CommandResult | Promise<CommandResult> {
  const { options, operands } = splitOptions(args, ["-G", "-aG", "--groups"]);
  const groups = (options.get("-aG") ?? options.get("-G") ?? options.get("--groups") ?? "").split(",").filter(Boolean);
  return addToGroup(machine, session, operands[0] ?? "", groups);
}

async function addToGroup(
  machine: VirtualMachine,
  session: Session,
  user: string,
  names: readonly string[],
): Promise<CommandResult> {
  if (session.uid !== 0)
    return failed(1, "usermod: Permission denied.\nusermod: cannot lock /etc/passwd; try again later.");
  if ((await uidOf(machine, user)) === null) return failed(6, `usermod: user '${user}' does not exist`);
  const groups = await readGroups(machine);
  const missing = names.find((name) => !groups.some((group) => group.name === name));
  if (missing !== undefined) return failed(6, `usermod: group '${missing}' does not exist`);
  await writeGroups(
    machine,
    groups.map((group) =>
      names.includes(group.name) && !group.members.includes(user)
        ? { ...group, members: [...group.members, user] }
        : group,
    ),
  );
  return ok();
}

async function removeFromGroup(
  machine: VirtualMachine,
  session: Session,
  user: string,
  name: string,
): Promise<CommandResult> {
  if (session.uid !== 0) return failed(1, "gpasswd: Permission denied.");
  const groups = await readGroups(machine);
  await writeGroups(
    machine,
    groups.map((group) =>
      group.name === name ? { ...group, members: group.members.filter((member) => member !== user) } : group,
    ),
  );
  return ok(`Removing user ${user} from group ${name}`);
}

/** Passwordless, unless the host was made to refuse it. Variables are dropped, as sudo's env_reset does. */
async function sudo(call: Call): Promise<CommandResult> {
  const { session, args } = call;
  const { start, user } = sudoWords(args);
  if (session.uid !== 0 && call.machine.faults.has("no-sudo")) return failed(1, "sudo: a password is required");
  const words = args.slice(start);
  const assignments = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const env = Object.fromEntries(
    words
      .slice(0, Math.max(0, assignments))
      .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]),
  );
  const argv = assignments < 0 ? [] : words.slice(assignments);
  if (argv.length === 0)
    return args.some((word) => word === "-v" || word === "-l") ? ok() : failed(1, "usage: sudo [-n] command");
  const root: Session = { ...session, user: "root", uid: 0, groups: ["root"] };
  const target = user === "root" ? root : { ...session, user, uid: 1000, groups: await groupsOf(call.machine, user) };
  return call.run(argv, { session: target, env, stdin: call.stdin });
}

function sudoWords(args: readonly string[]): { start: number; user: string } {
  let user = "root";
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    if (word === "--") return { start: at + 1, user };
    if (word === "-u" || word === "--user") {
      user = args[at + 1] ?? "root";
      at += 1;
    } else if (word === "-p" || word === "-C" || word === "-g") at += 1;
    else if (!word.startsWith("-")) return { start: at, user };
  }
  return { start: args.length, user };
}

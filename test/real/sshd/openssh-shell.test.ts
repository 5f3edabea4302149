import { afterAll, beforeAll, describe } from "vitest";
import { openOpensshShell } from "../../../src/adapters/openssh-shell.ts";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { describeShell, type ShellTraits } from "../../contract/shell-contract.ts";
import { makeUser, startRealSshd } from "./real-sshd.ts";

const logins: {
  name: string;
  user: { name: string; sudoers: string | null } | null;
  config?: string;
  traits: ShellTraits;
}[] = [
  { name: "root", user: null, traits: { sudo: "is-root", tellsSignals: false } },
  {
    name: "a user who may use sudo",
    user: { name: "arc-sudoer2", sudoers: "Defaults:arc-sudoer2 use_pty\narc-sudoer2 ALL=(ALL) NOPASSWD: ALL" },
    traits: { sudo: "allowed", tellsSignals: false },
  },
  {
    name: "a user who may not use sudo, few sessions",
    user: { name: "arc-plain2", sudoers: null },
    config: "MaxSessions 3",
    traits: { sudo: "refused", tellsSignals: false },
  },
];

describe.each(logins)("the ssh client to a real sshd, as $name", ({ user, config = "", traits }) => {
  let account: { remove(): void } | null = null;
  beforeAll(() => {
    account = user === null ? null : makeUser(user.name, user.sudoers);
  });
  afterAll(() => account?.remove());

  describeShell(
    "openOpensshShell()",
    async () => {
      const sshd = await startRealSshd({ ...(user === null ? {} : { user: user.name }), config });
      const shell = await openOpensshShell(sshd.spec, systemClock);
      return {
        shell,
        loseConnection: () => sshd.cutConnections(),
        async close() {
          await shell[Symbol.asyncDispose]();
          await sshd.close();
        },
      };
    },
    traits,
  );
});

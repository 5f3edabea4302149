import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSshShell } from "../../../src/adapters/ssh-shell.ts";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { describeShell, type ShellTraits } from "../../contract/shell-contract.ts";
import { makeUser, type RealSshd, startRealSshd } from "./real-sshd.ts";

const logins: {
  name: string;
  user: { name: string; sudoers: string | null } | null;
  config?: string;
  traits: ShellTraits;
}[] = [
  { name: "root", user: null, traits: { sudo: "is-root", tellsSignals: true } },
  {
    name: "a user who may use sudo",
    user: { name: "arc-sudoer", sudoers: "arc-sudoer ALL=(ALL) NOPASSWD: ALL" },
    traits: { sudo: "allowed", tellsSignals: true },
  },
  {
    // The default since sudo 1.9.14 (Ubuntu 24.04): the command runs in a session of its own.
    name: "a user whose sudo uses a pseudo-terminal",
    user: { name: "arc-pty", sudoers: "Defaults:arc-pty use_pty\narc-pty ALL=(ALL) NOPASSWD: ALL" },
    traits: { sudo: "allowed", tellsSignals: true },
  },
  {
    name: "a user who may not use sudo",
    user: { name: "arc-plain", sudoers: null },
    // No more sessions than this; the shell asks for eight.
    config: "MaxSessions 3",
    traits: { sudo: "refused", tellsSignals: true },
  },
];

describe.each(logins)("a real sshd, as $name", ({ user, config = "", traits }) => {
  let account: { remove(): void } | null = null;
  beforeAll(() => {
    account = user === null ? null : makeUser(user.name, user.sudoers);
  });
  afterAll(() => account?.remove());

  describeShell(
    "openSshShell()",
    async () => {
      const sshd = await startRealSshd({ ...(user === null ? {} : { user: user.name }), config });
      const shell = await openSshShell(sshd.spec, systemClock);
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

describe("a real sshd", () => {
  let sshd: RealSshd;
  beforeAll(async () => {
    sshd = await startRealSshd();
  });
  afterAll(() => sshd.close());

  it("is refused when it offers another key than the known one", async () => {
    const other = await startRealSshd();
    const trust = { kind: "known-hosts", text: `[127.0.0.1]:${sshd.spec.port} ${other.hostKey}` } as const;
    await expect(openSshShell({ ...sshd.spec, trust }, systemClock)).rejects.toMatchObject({
      code: "HOST_KEY_MISMATCH",
      hint: expect.stringContaining(`[127.0.0.1]:${sshd.spec.port} ${sshd.hostKey}`),
    });
    await other.close();
  });

  it("refuses a user it does not know and a key it does not know", async () => {
    const stranger = { ...sshd.spec, user: "nobody-here" };
    await expect(openSshShell(stranger, systemClock)).rejects.toMatchObject({
      code: "HOST_AUTH_FAILED",
      message: expect.stringMatching(/as "nobody-here" with key ssh-ed25519 .*accepts publickey/),
    });
  });
});

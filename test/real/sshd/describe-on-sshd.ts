import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import type { SshHostSpec } from "../../../src/config/run-config.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Shell } from "../../../src/ports/shell.ts";
import { describeShell, type ShellTraits } from "../../contract/shell-contract.ts";
import { makeUser, startRealSshd } from "./real-sshd.ts";

interface Login {
  readonly as: string;
  /** Rules for sudo; undefined: root itself, null: none. */
  readonly sudoers?: string | null;
  readonly config?: string;
  readonly sudo: ShellTraits["sudo"];
}

const LOGINS: readonly Login[] = [
  { as: "root", sudo: "is-root" },
  { as: "a user who may use sudo", sudoers: "USER ALL=(ALL) NOPASSWD: ALL", sudo: "allowed" },
  {
    // The default since sudo 1.9.14 (Ubuntu 24.04): the command runs in a session of its own.
    as: "a user whose sudo uses a pseudo-terminal",
    sudoers: "Defaults:USER use_pty\nUSER ALL=(ALL) NOPASSWD: ALL",
    sudo: "allowed",
  },
  {
    as: "a user who may not use sudo",
    sudoers: null,
    // No more sessions than this; the shell asks for eight.
    config: "MaxSessions 3",
    sudo: "refused",
  },
];

/** The whole contract of a shell, over a real sshd, for each way to log in. */
export function describeOnSshd(
  name: string,
  open: (spec: SshHostSpec, clock: Clock) => Promise<Shell>,
  traits: Pick<ShellTraits, "tellsSignals">,
): void {
  describe.each(LOGINS)("a real sshd, as $as", ({ sudoers, config = "", sudo }) => {
    // Test files run side by side: each has users of its own.
    const user = `arc-${process.pid}`;
    let account: { remove(): void } | null = null;
    beforeAll(() => {
      if (sudoers !== undefined) account = makeUser(user, sudoers?.replaceAll("USER", user) ?? null);
    });
    afterAll(() => account?.remove());

    describeShell(
      name,
      async () => {
        const sshd = await startRealSshd({ ...(sudoers === undefined ? {} : { user }), config });
        const shell = await open(sshd.spec, systemClock);
        return {
          shell,
          loseConnection: () => sshd.cutConnections(),
          async close() {
            await shell[Symbol.asyncDispose]();
            await sshd.close();
          },
        };
      },
      { ...traits, sudo },
    );
  });

  describe(`${name} to a real sshd, for connections onwards`, () => {
    it("reaches what listens on the host only, and several at the same time", async () => {
      const echo = createServer((socket) => socket.pipe(socket));
      await new Promise<void>((done) => echo.listen(0, "127.0.0.1", done));
      const { port } = echo.address() as AddressInfo;
      const sshd = await startRealSshd();
      const shell = await open(sshd.spec, systemClock);
      const say = async (words: string) => {
        const stream = await shell.connectTo?.("127.0.0.1", port);
        stream?.write(words);
        for await (const bytes of stream ?? []) return String(bytes);
        return null;
      };
      expect(await Promise.all([say("one"), say("two"), say("three")])).toEqual(["one", "two", "three"]);
      await shell[Symbol.asyncDispose]();
      await sshd.close();
      await new Promise((done) => echo.close(done));
    });
  });
}

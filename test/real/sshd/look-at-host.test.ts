import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { openSshShell } from "../../../src/adapters-shell/ssh-shell.ts";
import { probeHost } from "../../../src/probe/probe-host.ts";
import { lookAtHost } from "../../../src/provision/look-at-host.ts";
import { smallPlaybook } from "../../fakes/shipped-playbook.ts";
import { makeUser, type RealSshd, startRealSshd } from "./real-sshd.ts";

const logins = [
  { name: "arc-look", sudoers: "arc-look ALL=(ALL) NOPASSWD: ALL" },
  // The default since sudo 1.9.14: two processes of sudo stand above the script.
  { name: "arc-look-pty", sudoers: "Defaults:arc-look-pty use_pty\narc-look-pty ALL=(ALL) NOPASSWD: ALL" },
  { name: "arc-look-plain", sudoers: null },
];

describe.each(logins)("lookAtHost() as $name on a real sshd", ({ name, sudoers }) => {
  let account: { remove(): void };
  let sshd: RealSshd;
  beforeAll(async () => {
    account = makeUser(name, sudoers);
    sshd = await startRealSshd({ user: name });
  });
  afterAll(async () => {
    await sshd.close();
    account.remove();
  });

  it("tells of the login what a probe tells that never became root", async () => {
    await using shell = await openSshShell(sshd.spec, systemClock);
    const playbook = smallPlaybook("  - name: me\n    shell: { check: echo $ARC_LOGIN_USER, apply: 'true' }\n");
    const { facts, plan } = await lookAtHost({ shell, clock: systemClock, playbook });
    expect(facts.login).toEqual((await probeHost(shell, systemClock)).login);
    expect(plan.steps[0]?.evidence).toBe(name);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { openSshShell } from "../../../src/adapters-shell/ssh-shell.ts";
import { describeOnSshd } from "./describe-on-sshd.ts";
import { type RealSshd, startRealSshd } from "./real-sshd.ts";

describeOnSshd("openSshShell()", openSshShell, { tellsSignals: true });

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

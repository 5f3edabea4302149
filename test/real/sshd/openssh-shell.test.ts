import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { openShell } from "../../../src/adapters-shell/open-shell.ts";
import { openOpensshShell } from "../../../src/adapters-shell/openssh-shell.ts";
import type { SshHostSpec } from "../../../src/config/run-config.ts";
import type { AppError } from "../../../src/core/app-error.ts";
import { Secret } from "../../../src/core/secret.ts";
import type { Shell } from "../../../src/ports/shell.ts";
import { describeOnSshd } from "./describe-on-sshd.ts";
import { makeUser, type RealSshd, type SshdOptions, startRealSshd } from "./real-sshd.ts";

describeOnSshd("openOpensshShell()", openOpensshShell, { tellsSignals: false });

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(options: SshdOptions = {}): Promise<RealSshd> {
  const sshd = await startRealSshd(options);
  cleanups.push(() => sshd.close());
  return sshd;
}

async function connect(spec: SshHostSpec): Promise<Shell> {
  const shell = await openShell({ ...spec, transport: "openssh" }, systemClock);
  cleanups.push(() => shell[Symbol.asyncDispose]());
  return shell;
}

const user = async (shell: Shell) =>
  (await shell.run({ name: "ask who", text: "id -un" }, { timeoutMs: 10_000 })).stdout;

function keygen(...argv: string[]): void {
  execFileSync("ssh-keygen", ["-q", "-N", "", "-C", "", ...argv], { stdio: "ignore" });
}

describe("the ssh client and host keys", () => {
  it("accepts a trusted fingerprint, whatever type of key the host shows first", async () => {
    const extra = mkdtempSync(join(tmpdir(), "arc-vllm-keys-"));
    cleanups.push(() => rmSync(extra, { recursive: true }));
    keygen("-t", "rsa", "-b", "2048", "-f", join(extra, "rsa"));
    const sshd = await serve({ config: `HostKey ${join(extra, "rsa")}` });
    for (const file of [join(extra, "rsa.pub"), join(sshd.folder, "host_key.pub")]) {
      const fingerprint = execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" }).split(" ")[1] ?? "";
      expect(await user(await connect({ ...sshd.spec, trust: { kind: "fingerprints", sha256: [fingerprint] } }))).toBe(
        "root\n",
      );
    }
    await expect(
      connect({ ...sshd.spec, trust: { kind: "fingerprints", sha256: ["SHA256:x"] } }),
    ).rejects.toMatchObject({
      code: "HOST_KEY_MISMATCH",
    });
  });

  it("refuses a wrong and an unknown key with the same words as the other transport", async () => {
    const sshd = await serve();
    const other = await serve();
    for (const text of ["", `[127.0.0.1]:${sshd.spec.port} ${other.hostKey}`]) {
      const spec = { ...sshd.spec, trust: { kind: "known-hosts", text } as const };
      const [mine, theirs] = await Promise.all(
        (["openssh", "ssh2"] as const).map((transport) =>
          openShell({ ...spec, transport }, systemClock).then(
            () => null,
            (cause: AppError) => cause,
          ),
        ),
      );
      expect(mine).toMatchObject({ code: text === "" ? "HOST_KEY_MISSING" : "HOST_KEY_MISMATCH" });
      expect(mine?.message).toBe(theirs?.message);
      expect(mine?.hint).toBe(theirs?.hint);
      expect(mine?.hint).toContain(`[127.0.0.1]:${sshd.spec.port} ${sshd.hostKey}`);
    }
  });

  it("trusts a host whose key is signed by an authority of known_hosts", async () => {
    const sshd = await serve({ certificates: true });
    const text = `@cert-authority [127.0.0.1]:* ${sshd.authority}`;
    expect(await user(await connect({ ...sshd.spec, trust: { kind: "known-hosts", text } }))).toBe("root\n");
    const unsigned = await serve();
    await expect(connect({ ...unsigned.spec, trust: { kind: "known-hosts", text } })).rejects.toMatchObject({
      code: "HOST_KEY_MISSING",
      message: expect.stringContaining("@cert-authority"),
    });
  });
});

describe("the ssh client and logins", () => {
  it.each([["rsa"], ["ecdsa"], ["ed25519"]])(
    "logs in with an encrypted %s key that is never written to disk",
    async (type) => {
      const sshd = await serve();
      const file = join(sshd.folder, "locked");
      execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "open sesame", "-C", "", "-f", file]);
      appendFileSync(join(sshd.folder, "authorized_keys"), readFileSync(`${file}.pub`));
      const login = {
        kind: "private-key",
        key: new Secret(readFileSync(file, "utf8")),
        passphrase: new Secret("open sesame"),
      } as const;
      const shell = await connect({ ...sshd.spec, login });
      expect(await user(shell)).toBe("root\n");
      const folders = readdirSync("/tmp").filter((name) => /^arc-ssh-/.test(name));
      const texts = folders.flatMap((name) =>
        ["config", "known_hosts"].map((part) => readFileSync(join("/tmp", name, part), "utf8")),
      );
      expect(texts.join("")).not.toContain("PRIVATE KEY");
    },
  );

  it("logs in with a certificate that only the ssh_config names", async () => {
    const sshd = await serve({ certificates: true });
    writeFileSync(join(sshd.folder, "authorized_keys"), "");
    const config = join(sshd.folder, "my config");
    writeFileSync(
      config,
      `Host *\n  IdentityFile ${sshd.userKeyPath}\n  CertificateFile ${sshd.userKeyPath}-cert.pub\n`,
    );
    const spec = { ...sshd.spec, login: { kind: "ssh-config" } as const };
    expect(await user(await connect({ ...spec, sshConfigPath: config }))).toBe("root\n");
    await expect(connect(spec)).rejects.toMatchObject({ code: "HOST_AUTH_FAILED" });
    await expect(openShell(spec, systemClock)).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  it("names user and accepted methods when the host refuses", async () => {
    const sshd = await serve();
    await expect(connect({ ...sshd.spec, user: "nobody-here" })).rejects.toMatchObject({
      code: "HOST_AUTH_FAILED",
      message: expect.stringMatching(/as "nobody-here" with the given private key: .*accepts publickey/),
    });
  });

  it("counts new groups after reconnect()", async () => {
    const account = makeUser("arc-groups", null);
    cleanups.push(() => account.remove());
    const sshd = await serve({ user: "arc-groups" });
    for (const transport of ["openssh", "ssh2"] as const) {
      const shell = await openShell({ ...sshd.spec, transport }, systemClock);
      const groups = async () =>
        (await shell.run({ name: "list groups", text: "id -Gn" }, { timeoutMs: 10_000 })).stdout;
      execFileSync("gpasswd", ["-a", "arc-groups", "video"], { stdio: "ignore" });
      expect(await groups()).not.toContain("video");
      await shell.reconnect();
      expect(await groups()).toContain("video");
      execFileSync("gpasswd", ["-d", "arc-groups", "video"], { stdio: "ignore" });
      await shell[Symbol.asyncDispose]();
    }
  });
});

describe("the ssh client and ssh_config", () => {
  it("goes through a jump host, whose key is checked too", async () => {
    const jump = await serve();
    const target = await serve();
    const config = join(target.folder, "ssh_config");
    writeFileSync(config, `Host target\n  HostName 127.0.0.1\n  ProxyJump root@127.0.0.1:${jump.spec.port}\n`);
    const text = `[127.0.0.1]:${jump.spec.port} ${jump.hostKey}\n[127.0.0.1]:${target.spec.port} ${target.hostKey}\n`;
    appendFileSync(join(jump.folder, "authorized_keys"), readFileSync(`${target.userKeyPath}.pub`));
    const spec = { ...target.spec, address: "target", sshConfigPath: config };

    const shell = await connect({ ...spec, trust: { kind: "known-hosts", text } });
    const { stdout } = await shell.run(
      { name: "ask from where", text: 'echo "$SSH_CONNECTION"' },
      { timeoutMs: 10_000 },
    );
    expect(stdout).toContain(` 127.0.0.1 ${target.spec.port}`);

    const onlyTarget = { kind: "known-hosts", text: text.split("\n")[1] ?? "" } as const;
    await expect(connect({ ...spec, trust: onlyTarget })).rejects.toMatchObject({
      code: "HOST_KEY_MISSING",
      hint: expect.stringContaining(`[127.0.0.1]:${jump.spec.port} ${jump.hostKey}`),
    });
  });

  it("cannot be made to accept any key by the ssh_config", async () => {
    const sshd = await serve();
    const config = join(sshd.folder, "ssh_config");
    writeFileSync(config, "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nBatchMode no\n");
    const trust = { kind: "known-hosts", text: "" } as const;
    await expect(connect({ ...sshd.spec, trust, sshConfigPath: config })).rejects.toMatchObject({
      code: "HOST_KEY_MISSING",
    });
  });

  it.each([
    { what: "a file that is not there", text: null, says: "there is no such file" },
    { what: "a word ssh does not know", text: "Hots *\n", says: "Bad configuration option: hots" },
  ])("says so of $what", async ({ text, says }) => {
    const sshd = await serve();
    const config = join(sshd.folder, "ssh_config");
    if (text !== null) writeFileSync(config, text);
    await expect(connect({ ...sshd.spec, sshConfigPath: config })).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringContaining(says),
    });
  });
});

describe("the ssh client and hosts that cannot be reached", () => {
  it("says that nothing listens", async () => {
    const sshd = await startRealSshd();
    await sshd.close();
    await expect(connect(sshd.spec)).rejects.toMatchObject({
      code: "HOST_UNREACHABLE",
      message: `Cannot reach host "loopback" at 127.0.0.1:${sshd.spec.port}: connection refused`,
    });
  });

  it("says that a name does not resolve", async () => {
    const sshd = await serve();
    await expect(connect({ ...sshd.spec, address: "no-such-host.invalid" })).rejects.toMatchObject({
      code: "HOST_UNREACHABLE",
      message: expect.stringContaining("no-such-host.invalid"),
    });
  });

  it("gives up on a host that accepts and then says nothing", async () => {
    const silent = createServer((socket) => socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => new Promise((resolve) => silent.close(() => resolve())));
    const sshd = await serve();
    const { port } = silent.address() as AddressInfo;
    await expect(connect({ ...sshd.spec, port, connectTimeoutMs: 300 })).rejects.toMatchObject({
      code: "HOST_UNREACHABLE",
      message: expect.stringMatching(/: no answer in time$/),
    });
  });

  it("leaves no folder behind, whether it connected or not", async () => {
    const folders = () => readdirSync("/tmp").filter((name) => /^arc-ssh-/.test(name));
    const before = folders();
    const sshd = await serve();
    await connect({ ...sshd.spec, user: "nobody-here" }).catch(() => {});
    const shell = await openShell({ ...sshd.spec, transport: "openssh" }, systemClock);
    await shell[Symbol.asyncDispose]();
    expect(folders()).toEqual(before);
  });
});

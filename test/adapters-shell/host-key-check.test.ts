import { describe, expect, it } from "vitest";
import { type HostKey, hostKeyOf } from "../../src/adapters-shell/host-key.ts";
import { checkHostKey, hostKeyAlgorithms } from "../../src/adapters-shell/host-key-check.ts";
import type { HostTrust, SshHostSpec } from "../../src/config/run-config.ts";
import { Secret } from "../../src/core/secret.ts";

const ED = "AAAAC3NzaC1lZDI1NTE5AAAAIOlQZGvLGo2IroqN1vk1sWJWgDCMyolRemzGURDTQI5t";
const FINGERPRINT = "SHA256:BA33JholFwNVqGzLaJp52ZRO85gR+luyci1qUG84OOQ";

function host(trust: HostTrust): SshHostSpec {
  return {
    connection: "ssh",
    name: "bench",
    address: "arc-1",
    port: 22,
    user: "arc",
    trust,
    login: { kind: "private-key", key: new Secret(""), passphrase: null },
    connectTimeoutMs: 1_000,
  };
}

function offered(): HostKey {
  const key = hostKeyOf(Buffer.from(ED, "base64"));
  if (key === null) throw new Error("the key is one");
  return key;
}

const known = (text: string) => host({ kind: "known-hosts", text });
const fingerprints = (...sha256: string[]) => host({ kind: "fingerprints", sha256 });

describe("checkHostKey()", () => {
  it.each([
    ["the known key", known(`arc-1 ssh-ed25519 ${ED}`)],
    ["its fingerprint", fingerprints("SHA256:other", FINGERPRINT)],
    ["its fingerprint without prefix", fingerprints(FINGERPRINT.slice(7))],
    ["its fingerprint with padding", fingerprints(`${FINGERPRINT}=`)],
  ])("accepts a host by %s", (_by, spec) => {
    expect(checkHostKey(spec, offered())).toBeNull();
  });

  it.each([
    ["another fingerprint", fingerprints("SHA256:other"), "HOST_KEY_MISMATCH", "trusted fingerprints are SHA256:other"],
    ["no fingerprint at all", fingerprints(), "HOST_KEY_MISMATCH", FINGERPRINT],
    ["no line", known(`arc-2 ssh-ed25519 ${ED}`), "HOST_KEY_MISSING", "known_hosts has no line for it"],
    ["an unreadable line", known("arc-1 ssh-ed25519 AAAA"), "HOST_KEY_MISSING", "unreadable: line 1"],
    ["an authority only", known(`@cert-authority * ssh-ed25519 ${ED}`), "HOST_KEY_MISSING", "@cert-authority"],
    ["a revoked key", known(`@revoked * ssh-ed25519 ${ED}\narc-1 ssh-ed25519 ${ED}`), "HOST_KEY_MISMATCH", "@revoked"],
  ])("refuses a host with %s and says why", (_with, spec, code, says) => {
    const error = checkHostKey(spec, offered());
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) });
    expect(error?.message).toMatch(/^Cannot trust host "bench": .*ssh-ed25519 SHA256:BA33/);
  });
});

describe("hostKeyAlgorithms()", () => {
  it("puts the types of known keys first and keeps the others, so that a mismatch can be shown", () => {
    expect(hostKeyAlgorithms(known(`arc-1 ssh-ed25519 ${ED}`))[0]).toBe("ssh-ed25519");
    const rsa = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from("ssh-rsa"), Buffer.alloc(20)]).toString("base64");
    expect(hostKeyAlgorithms(known(`arc-1 ssh-rsa ${rsa}`))).toEqual([
      "rsa-sha2-512",
      "rsa-sha2-256",
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521",
    ]);
  });
});

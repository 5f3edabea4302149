import { describe, expect, it } from "vitest";
import { fingerprintOf, type HostKey, hostKeyOf, knownHostsLine } from "../../src/adapters-shell/host-key.ts";
import { findKnownKeys } from "../../src/adapters-shell/known-hosts.ts";

const ED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOlQZGvLGo2IroqN1vk1sWJWgDCMyolRemzGURDTQI5t";
const EC =
  "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDu56y3P+7phoqaay09OLKBwKwqV+DsXLfucnR7W1fmr+Kz4sNj4Dj6YB5Xn60DubGxFf2IyP8wuAMW7sLConWg=";
/** Made by `ssh-keygen -H` from "arc-1.lab", "10.0.0.7" and "[arc-2.lab]:2222". */
const HASHED = `|1|Wz15YCkhnLA5BLQZrZUOyMHQTXM=|eWygle5MAzFCApucBumoQlgxAbs= ${ED}
|1|3G5ejP1ui2IEujmi83ljH4o4KGA=|Q+Xi4L9q4hsiVVW0oEggKd6Jj/k= ${ED}
|1|qq0tflOjWJ4R71/pftcfQTmY6NQ=|O8sX1qAvQ3TDXdbKEMjjL19IRRg= ${EC}`;

const types = (keys: readonly HostKey[]) => keys.map(({ type }) => type.replace(/^(ssh|ecdsa).*/, "$1"));

describe("findKnownKeys()", () => {
  it.each([
    { name: "a plain name", text: `arc-1 ${ED}`, address: "arc-1", port: 22, keys: ["ssh"] },
    { name: "a name in another case", text: `Arc-1 ${ED}`, address: "aRC-1", port: 22, keys: ["ssh"] },
    { name: "one name of several", text: `a,10.0.0.7,b ${ED}`, address: "10.0.0.7", port: 22, keys: ["ssh"] },
    { name: "no part of a name", text: `arc-11 ${ED}`, address: "arc-1", port: 22, keys: [] },
    {
      name: "every key of the host",
      text: `arc-1 ${ED}\narc-1 ${EC}`,
      address: "arc-1",
      port: 22,
      keys: ["ssh", "ecdsa"],
    },
    { name: "a comment after the key", text: `arc-1 ${ED} me@there # x`, address: "arc-1", port: 22, keys: ["ssh"] },
    {
      name: "CRLF, tabs and blank lines",
      text: `\r\n\tarc-1\t${ED}\r\n\r\n`,
      address: "arc-1",
      port: 22,
      keys: ["ssh"],
    },
    {
      name: "an IPv6 address with a port",
      text: `[fe80::1]:2222 ${ED}`,
      address: "fe80::1",
      port: 2222,
      keys: ["ssh"],
    },
    { name: "a port", text: `[arc-1]:2222 ${ED}`, address: "arc-1", port: 2222, keys: ["ssh"] },
    { name: "another port", text: `[arc-1]:2222 ${ED}`, address: "arc-1", port: 22, keys: [] },
    { name: "the plain name for any port", text: `arc-1 ${ED}`, address: "arc-1", port: 2222, keys: ["ssh"] },
    {
      name: "the line with the port before the plain one",
      text: `arc-1 ${ED}\n[arc-1]:2222 ${EC}`,
      address: "arc-1",
      port: 2222,
      keys: ["ecdsa"],
    },
    { name: "a wildcard", text: `*.lab ${ED}`, address: "arc-1.lab", port: 22, keys: ["ssh"] },
    { name: "a question mark", text: `arc-?.lab ${ED}`, address: "arc-1.lab", port: 22, keys: ["ssh"] },
    { name: "a dot that is only a dot", text: `arc-1.lab ${ED}`, address: "arc-1xlab", port: 22, keys: [] },
    { name: "a negation", text: `*.lab,!arc-1.lab ${ED}`, address: "arc-1.lab", port: 22, keys: [] },
    { name: "a negation of another", text: `*.lab,!arc-2.lab ${ED}`, address: "arc-1.lab", port: 22, keys: ["ssh"] },
    { name: "a hashed name", text: HASHED, address: "arc-1.lab", port: 22, keys: ["ssh"] },
    { name: "a hashed address", text: HASHED, address: "10.0.0.7", port: 22, keys: ["ssh"] },
    { name: "a hashed name with a port", text: HASHED, address: "arc-2.lab", port: 2222, keys: ["ecdsa"] },
    { name: "no hashed name of another", text: HASHED, address: "arc-3.lab", port: 22, keys: [] },
    { name: "nothing in a comment", text: `# arc-1 ${ED}\n#arc-1 ${ED}`, address: "arc-1", port: 22, keys: [] },
    { name: "nothing in an empty text", text: "", address: "arc-1", port: 22, keys: [] },
  ])("finds $name", ({ text, address, port, keys }) => {
    const found = findKnownKeys(text, address, port);
    expect(types(found.keys)).toEqual(keys);
    expect(found).toMatchObject({ revoked: [], hasAuthority: false, unreadableLines: [] });
  });

  it("keeps revoked keys and authorities apart from keys", () => {
    const found = findKnownKeys(`@revoked * ${ED}\n@cert-authority *.lab ${EC}\narc-1.lab ${EC}`, "arc-1.lab", 22);
    expect(types(found.keys)).toEqual(["ecdsa"]);
    expect(types(found.revoked)).toEqual(["ssh"]);
    expect(found.hasAuthority).toBe(true);
  });

  it.each([
    ["a wrapped line", `arc-1 ssh-ed25519\n${ED.slice(12)}`, [1, 2]],
    ["a key cut off", `arc-1 ${ED}\narc-1 ssh-ed25519 AAAA`, [2]],
    ["a type that the key is not of", `arc-1 ssh-rsa ${ED.slice(12)}`, [1]],
    ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", [1]],
    ["an unknown marker", `@trusted arc-1 ${ED}`, [1]],
  ])("names the lines of %s", (_what, text, lines) => {
    expect(findKnownKeys(text, "arc-1", 22).unreadableLines).toEqual(lines);
  });
});

describe("fingerprintOf() and knownHostsLine()", () => {
  it("give what ssh-keygen -lf and known_hosts have", () => {
    const key = hostKeyOf(Buffer.from(ED.split(" ")[1] ?? "", "base64"));
    if (key === null) throw new Error("the key is one");
    expect(fingerprintOf(key)).toBe("SHA256:BA33JholFwNVqGzLaJp52ZRO85gR+luyci1qUG84OOQ");
    expect(knownHostsLine("arc-1", 22, key)).toBe(`arc-1 ${ED}`);
    expect(knownHostsLine("arc-1", 2222, key)).toBe(`[arc-1]:2222 ${ED}`);
  });
});

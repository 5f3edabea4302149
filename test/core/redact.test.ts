import { describe, expect, it } from "vitest";
import { createRedactor } from "../../src/core/redact.ts";
import { Secret } from "../../src/core/secret.ts";

function redactorOf(...values: string[]) {
  const redactor = createRedactor();
  for (const value of values) redactor.hide(new Secret(value));
  return redactor;
}

const KEY = `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACBz
-----END OPENSSH PRIVATE KEY-----
`;

describe("createRedactor()", () => {
  const secret = `p@ss "w/rd'+`;

  it.each([
    { form: "the value", text: secret },
    { form: "base64", text: Buffer.from(secret).toString("base64") },
    { form: "base64 without padding", text: Buffer.from(secret).toString("base64url") },
    { form: "a URL", text: encodeURIComponent(secret) },
    { form: "JSON", text: JSON.stringify({ password: secret }) },
    { form: "a quoted shell word", text: `'${secret.replaceAll("'", `'\\''`)}'` },
  ])("hides a secret written as $form", ({ text }) => {
    const cleaned = redactorOf(secret).clean(`before ${text} after`);
    expect(cleaned).toMatch(/^before .*\*\*\*.* after$/);
    expect(cleaned).not.toMatch(/w\/rd|w%2Frd|cEBzcy|p@ss/);
  });

  it("hides every line of a key when lines are printed one by one", () => {
    const redactor = redactorOf(KEY);
    const printed = KEY.split("\n").map((line) => redactor.clean(line));
    expect(printed.join("\n")).not.toMatch(/b3Blbn|QyNTUx/);
  });

  it.each([
    { text: `log: ${KEY}` },
    { text: "token hf_abcdefghijklmnopqrstuvwxyzABCDEF" },
    { text: "Authorization: Bearer abcdef0123456789" },
    { text: "ghp_abcdefghijklmnopqrstuvwxyz0123456789" },
  ])("hides what looks like a secret although nobody named it: $text", ({ text }) => {
    expect(redactorOf().clean(text)).not.toMatch(/b3Blbn|hf_abc|abcdef0123|ghp_abc/);
  });

  it("leaves values under four characters alone", () => {
    expect(redactorOf("abc", "a").clean("abc and a cat")).toBe("abc and a cat");
  });

  it("hides the longer of two secrets that begin alike", () => {
    expect(redactorOf("hunter", "hunter2").clean("x hunter2 y hunter z")).toBe("x *** y *** z");
  });

  it("leaves other text as it is", () => {
    const text = "Qwen2.5-7B: 65.8 tok/s, ttft 100.5 ms, sha256:0f3c";
    expect(redactorOf("secret value").clean(text)).toBe(text);
  });
});

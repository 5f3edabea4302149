import { describe, expect, it } from "vitest";
import type { RunConfig, SshHostSpec } from "../../src/config/run-config.ts";
import { AppError } from "../../src/core/app-error.ts";
import { loadConfig, loadGate } from "../../src/inputs/parse-config.ts";
import { requireHosts } from "../../src/inputs/require-hosts.ts";
import { NO_OVERRIDES, parseRunOptions } from "../../src/inputs/run-options.ts";
import { EXAMPLE, exampleWith, KEYED_ENV, secretsFrom } from "./config-text.ts";

const KEY = "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s";

/** The configuration of a run with these command line flags, over a file unless `text` is null. */
function load(flags: Record<string, string>, text: string | null = EXAMPLE): RunConfig {
  const overrides = parseRunOptions(flags, (name) => `--${name}`);
  return loadConfig(text === null ? null : { text, path: "arc-vllm.yml" }, overrides, secretsFrom(KEYED_ENV));
}

function failure(flags: Record<string, string>, text: string | null = EXAMPLE): AppError {
  try {
    load(flags, text);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("The options were accepted");
}

describe("loadConfig() without a file", () => {
  it.each([
    { host: "ci@10.0.0.5", is: { address: "10.0.0.5", user: "ci", port: 22, name: "10.0.0.5" } },
    { host: "ci@arc-1.lab:2222", is: { address: "arc-1.lab", user: "ci", port: 2222, name: "arc-1.lab" } },
    { host: "ci@[fe80::1]:2222", is: { address: "fe80::1", user: "ci", port: 2222, name: "fe80--1" } },
    { host: "ci@fd00::5", is: { address: "fd00::5", user: "ci", port: 22 } },
  ])("takes a host from --host $host", ({ host, is }) => {
    expect(load({ host, "host-key": KEY }, null).hosts).toMatchObject([
      { connection: "ssh", trust: { kind: "fingerprints", sha256: [KEY] }, ...is },
    ]);
  });

  it("takes this machine from --local", () => {
    expect(load({ local: "true" }, null).hosts).toEqual([
      { connection: "local", name: "localhost", address: "127.0.0.1" },
    ]);
  });

  it.each([
    { flags: { host: "10.0.0.5" }, says: '--host: found "10.0.0.5", wanted user@address (or --user beside it)' },
    { flags: { host: "-oProxyCommand=x" }, says: '--host: found "-oProxyCommand=x"' },
    { flags: { host: "ci@" }, says: '--host: found "ci@"' },
    { flags: { host: "ci@h:99999" }, says: '--host: found "ci@h:99999", wanted user@address or user@address:port' },
    { flags: { host: "ci@h", local: "true" }, says: "--local: found beside --host, wanted one of the two" },
    { flags: { port: "22" }, says: "--port: found without --host, wanted both" },
  ])("refuses $flags", ({ flags, says }) => {
    const error = failure(flags as unknown as Record<string, string>, null);
    expect(error.code).toBe("INPUT_INVALID");
    expect(error.message).toContain(says);
  });

  it("asks for the key of the host", () => {
    expect(failure({ host: "ci@10.0.0.5" }, null)).toMatchObject({ code: "HOST_KEY_MISSING" });
  });

  it("leaves hosts empty, and requireHosts() then says how to give one", () => {
    const config = load({}, null);
    expect(config.hosts).toEqual([]);
    expect(() => requireHosts(config, "check")).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", hint: expect.stringContaining("--local") }),
    );
  });
});

describe("loadConfig() with options over a file", () => {
  it("lets options win over the file", () => {
    const config = load({
      playbook: "mine.yml",
      baseline: "old.json",
      mode: "warn",
      "on-inconclusive": "fail",
      "require-comparison": "true",
      "report-dir": "out",
    });
    expect(config).toMatchObject({
      playbook: { name: "mine.yml", vars: {} },
      gate: { baseline: "old.json", mode: "warn", onInconclusive: "fail", requireComparison: true },
      report: { dir: "out" },
    });
  });

  it("changes nothing when no option is given", () => {
    expect(JSON.stringify(load({}))).toBe(
      JSON.stringify(loadConfig({ text: EXAMPLE, path: "arc-vllm.yml" }, NO_OVERRIDES, secretsFrom(KEYED_ENV))),
    );
  });

  it("replaces the hosts of the file by --host", () => {
    expect(load({ host: "me@other", "host-key": KEY }).hosts.map(({ name }) => name)).toEqual(["other"]);
  });

  it("needs no hosts in the file when --local is given", () => {
    const text = "version: 1\nserve: {engine: vllm, model: /m}\n";
    expect(load({ local: "true" }, text).hosts).toHaveLength(1);
  });

  it("chooses hosts and workloads by name", () => {
    const text = exampleWith("gate:", "  - {name: long, input-tokens: 1500, output-tokens: 128}\ngate:");
    expect(load({ workloads: "long" }, text).workloads.map(({ name }) => name)).toEqual(["long"]);
    expect(load({ hosts: "a770-1" }).hosts).toHaveLength(1);
    expect(failure({ hosts: "a770-2", workloads: "chta" }).message.split("\n").slice(1)).toEqual([
      '  --hosts: "a770-2" is not in the file, did you mean "a770-1"?',
      '  --workloads: "chta" is not in the file, did you mean "chat"?',
    ]);
  });

  it("chooses steps of the playbook by tags, of the file's or of another one", () => {
    expect(load({ tags: "clocks,kernel" }).playbook).toEqual({
      name: "ubuntu-22.04-a770",
      vars: {},
      tags: ["clocks", "kernel"],
    });
    expect(load({ playbook: "mine.yml", "skip-tags": "bios" }).playbook).toMatchObject({
      name: "mine.yml",
      skipTags: ["bios"],
    });
    const map = exampleWith(
      "playbook: ubuntu-22.04-a770",
      "playbook: {name: m.yml, vars: {a: 1}, tags: [x], skip-tags: [y]}",
    );
    expect(load({ tags: "z" }, map).playbook).toEqual({
      name: "m.yml",
      vars: { a: "1" },
      tags: ["z"],
      skipTags: ["y"],
    });
    expect(failure({ tags: "clocks", local: "true" }, null).message).toContain(
      '--tags: found without a playbook, wanted --playbook or "playbook" in the file',
    );
  });

  it.each([
    { flags: {}, more: "", is: undefined },
    { flags: {}, more: "    lock-timeout: 20m\n", is: 1_200_000 },
    { flags: { "lock-timeout": "90s" }, more: "    lock-timeout: 20m\n", is: 90_000 },
    { flags: { "lock-timeout": "45" }, more: "", is: 45_000 },
  ])("waits $is ms for a host that is taken, with $flags over the file's $more", ({ flags, more, is }) => {
    const text = exampleWith(`    host-key: ${KEY}\n`, `    host-key: ${KEY}\n${more}`);
    expect(load(flags, text).hosts[0]?.lockTimeoutMs).toBe(is);
  });

  it("refuses a time that is none", () => {
    expect(failure({ "lock-timeout": "soon" }).message).toContain(
      '--lock-timeout: found "soon", wanted a time such as',
    );
  });

  it("trusts the key of an option only where the file says nothing", () => {
    const other = `SHA256:${"A".repeat(43)}`;
    const trust = (config: RunConfig) => (config.hosts[0] as SshHostSpec).trust;
    expect(trust(load({ "host-key": other }))).toEqual({ kind: "fingerprints", sha256: [KEY] });
    const without = exampleWith(`    host-key: ${KEY}\n`, "");
    expect(trust(load({ "host-key": `${other}, ${KEY}` }, without))).toEqual({
      kind: "fingerprints",
      sha256: [other, KEY],
    });
    expect(trust(load({ "known-hosts": "h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKnE" }, without))).toMatchObject({
      kind: "known-hosts",
    });
  });

  it("uses the key of an option for a host that names none", () => {
    const login = (config: RunConfig) => (config.hosts[0] as SshHostSpec).login;
    const config = load({ "ssh-private-key": "from the input", "ssh-passphrase": "open" });
    expect(login(config)).toMatchObject({ kind: "private-key" });
    expect(JSON.stringify(login(config))).not.toContain("from the input");
    const { key, passphrase } = login(config) as { key: { reveal(): string }; passphrase: { reveal(): string } };
    expect([key.reveal(), passphrase.reveal()]).toEqual(["from the input", "open"]);
  });
});

describe("loadGate()", () => {
  it("asks neither for secrets nor for the keys of hosts", () => {
    const text = exampleWith(`    host-key: ${KEY}\n`, "    private-key-env: NOT_SET\n");
    const overrides = parseRunOptions({ mode: "warn", "report-dir": "out" }, (name) => `--${name}`);
    expect(loadGate({ text, path: "arc-vllm.yml" }, overrides)).toMatchObject({
      gate: { mode: "warn", rules: [{ metric: "output_tok_s" }, { metric: "tpot_p50_ms" }, { metric: "ttft_p50_ms" }] },
      report: { dir: "out" },
    });
  });
});

describe("parseRunOptions()", () => {
  it.each([
    { flags: { port: "abc" }, says: '--port: found "abc", wanted an integer from 1 to 65535' },
    { flags: { mode: "gaet" }, says: '--mode: found "gaet", wanted one of "gate", "warn", did you mean "gate"?' },
    { flags: { local: "yes" }, says: '--local: found "yes", wanted true or false' },
    { flags: { config: "a\nb" }, says: "--config: found" },
  ])("refuses $flags", ({ flags, says }) => {
    expect(failure(flags as unknown as Record<string, string>).message).toContain(says);
  });

  it("reports every wrong option at once", () => {
    expect(failure({ port: "0", mode: "x", local: "1" }).message.split("\n")).toHaveLength(4);
  });

  it("takes a blank option as not given", () => {
    expect(parseRunOptions({ mode: "  ", port: "" }, (name) => name).options).toEqual({});
  });
});

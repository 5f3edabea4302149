import { describe, expect, it } from "vitest";
import { parseBenchFlags } from "../../src/inputs/bench-flags.ts";
import { parseConfig } from "../../src/inputs/parse-config.ts";

const WEB_UI = "/api/chat/completions";
const NO_SECRETS = () => undefined;

function config(
  workloads: readonly string[],
  serve = "engine: url, base-url: 'https://chat:3000', served-model-name: m",
) {
  const entries = workloads
    .map((one, at) => `  - {name: w${at}, input-tokens: 8, output-tokens: 8, ${one}}\n`)
    .join("");
  const list = entries === "" ? "" : `workloads:\n${entries}`;
  return () => parseConfig(`version: 1\nserve: {${serve}}\n${list}`, "arc-vllm.yml", NO_SECRETS);
}

describe("endpoints of arc-vllm.yml", () => {
  it("never asks Open WebUI for ignore_eos, which it does not pass on", () => {
    expect(config([`endpoint: ${WEB_UI}`])().workloads[0]).toMatchObject({ endpoint: WEB_UI, ignoreEos: false });
    expect(config(["endpoint: /v1/chat/completions"])().workloads[0]).toMatchObject({ ignoreEos: true });
  });

  it("takes a CA for https, and nothing that would trust any certificate", () => {
    const serve = "engine: url, base-url: 'https://chat:3000', served-model-name: m, ca-file: ca.pem";
    expect(config([], serve)().serve).toMatchObject({ caFile: "ca.pem" });
    expect(config([], `${serve}, insecure: true`)).toThrow(/insecure/);
  });

  it("refuses workloads for two kinds of servers at one URL, and Open WebUI as something to start", () => {
    expect(config([`endpoint: ${WEB_UI}`, "endpoint: /v1/completions"])).toThrow(
      /workloads\[1\]\.endpoint: \/v1\/completions beside \/api\/chat\/completions/,
    );
    const started = config([`endpoint: ${WEB_UI}`], "engine: vllm, model: /models/m");
    expect(started).toThrow(/workloads\[0\]\.endpoint: found with engine "vllm", wanted engine "url"/);
  });
});

describe("endpoints of bench", () => {
  const parse = (flags: Record<string, string>) => parseBenchFlags({ model: "m", ...flags }, NO_SECRETS);

  it("measures Open WebUI by its path, as with vllm bench serve", () => {
    expect(parse({ backend: "openai-chat", endpoint: WEB_UI }).workload).toMatchObject({ endpoint: WEB_UI });
    expect(() => parse({ endpoint: WEB_UI, "ignore-eos": "true" })).toThrow(/--ignore-eos: found with --endpoint/);
  });

  it("takes a CA file", () => {
    expect(parse({ "ca-file": "ca.pem" }).serve.caFile).toBe("ca.pem");
    expect(parse({}).serve).not.toHaveProperty("caFile");
  });
});

describe("the way to the server", () => {
  const withHost = (serve: string, host: string) =>
    parseConfig(`version: 1\nhosts:\n  - {${host}}\nserve: {${serve}}\n`, "arc-vllm.yml", () => "key");
  const SSH = `name: a, address: 10.0.0.5, user: u, private-key-env: KEY, host-key: "SHA256:${"A".repeat(43)}"`;

  it("is found out unless it is said", () => {
    expect(withHost("engine: vllm, model: /m", SSH).serve).not.toHaveProperty("through");
    expect(withHost("engine: vllm, model: /m, through: direct", SSH).serve).toMatchObject({ through: "direct" });
  });

  it("keeps a server of ours off the network when it leads through SSH", () => {
    expect(withHost("engine: vllm, model: /m", SSH).serve).toMatchObject({ bind: "0.0.0.0" });
    expect(withHost("engine: vllm, model: /m, through: ssh", SSH).serve).toMatchObject({ bind: "127.0.0.1" });
  });

  it("cannot lead through SSH to this machine, or to no host", () => {
    const local = () => withHost("engine: vllm, model: /m, through: ssh", "name: here, connection: local");
    expect(local).toThrow(/serve\.through: found "ssh" for host "here", which is this machine/);
  });
});

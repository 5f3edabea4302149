import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { IpexLlmServe, RunConfig, SshHostSpec, Workload } from "../../src/config/run-config.ts";
import { AppError } from "../../src/core/app-error.ts";
import { parseConfig } from "../../src/inputs/parse-config.ts";
import { EXAMPLE, exampleWith, KEYED_ENV, secretsFrom } from "./config-text.ts";

function read(text: string, env = KEYED_ENV): RunConfig {
  return parseConfig(text, "arc-vllm.yml", secretsFrom(env));
}

/** The error that a text ends in. */
function failure(text: string, env = KEYED_ENV): AppError {
  try {
    read(text, env);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("The text was accepted");
}

/** The lines of the error, without its first one and without indentation. */
function problemsOf(text: string): string[] {
  return failure(text)
    .message.split("\n")
    .slice(1)
    .map((line) => line.trim());
}

describe("parseConfig() on a good file", () => {
  it("fills in what the file leaves out", () => {
    const config = read(EXAMPLE);
    expect(config.hosts).toMatchObject([
      { connection: "ssh", name: "a770-1", address: "10.0.0.5", port: 22, user: "ci", connectTimeoutMs: 20_000 },
    ]);
    expect(config.serve).toMatchObject({
      servedModelName: "Llama-3.1-8B-Instruct",
      port: 8000,
      bind: "0.0.0.0",
      shmSizeGib: 16,
      pull: "missing",
      privileged: true,
      cards: null,
      readyTimeoutMs: 1_200_000,
    });
    expect(config.workloads).toMatchObject([
      {
        endpoint: "/v1/completions",
        requestRate: null,
        repeats: 3,
        warmupWaves: 2,
        ignoreEos: true,
        stallTimeoutMs: 60_000,
        totalTimeoutMs: 600_000,
      },
    ]);
    expect(config.report).toEqual({ dir: "arc-vllm-report" });
    expect(config.warnings).toEqual([]);
  });

  it("judges output tokens per second, TPOT and TTFT unless told otherwise", () => {
    expect(read(EXAMPLE).gate.rules).toEqual([
      { metric: "output_tok_s", deltaPct: 3, budgetPct: 5, floor: null },
      { metric: "tpot_p50_ms", deltaPct: 3, budgetPct: 5, floor: 1 },
      { metric: "ttft_p50_ms", deltaPct: 10, budgetPct: 15, floor: 30 },
    ]);
  });

  it("judges only the metrics that the file names, with the defaults of each", () => {
    const text = exampleWith("mode: gate", "metrics: {tpot_p50_ms: {delta-pct: 8}, e2e_p50_ms: {}}");
    expect(read(text).gate.rules).toEqual([
      { metric: "tpot_p50_ms", deltaPct: 8, budgetPct: 8, floor: 1 },
      { metric: "e2e_p50_ms", deltaPct: 5, budgetPct: 8, floor: null },
    ]);
  });

  it.each([
    { written: "500ms", ms: 500 },
    { written: "90s", ms: 90_000 },
    { written: "1.5m", ms: 90_000 },
    { written: "30", ms: 30_000 },
    { written: "0.5", ms: 500 },
  ])("reads the time $written as $ms ms", ({ written, ms }) => {
    const text = exampleWith("concurrency: [1, 8]", `stall-timeout: ${written}`);
    expect((read(text).workloads[0] as Workload).stallTimeoutMs).toBe(ms);
  });

  it("takes one level of concurrency as a list of one", () => {
    expect(read(exampleWith("[1, 8]", "4")).workloads[0]?.concurrency).toEqual([4]);
  });

  it("keeps environment values and variables as they are written", () => {
    const serve = read(exampleWith("  flags:", "  env: {A: 1.0, B: 010, C: OFF, D: true}\n  flags:")).serve;
    expect((serve as IpexLlmServe).env).toEqual({ A: "1.0", B: "010", C: "OFF", D: "true" });
    const vars = exampleWith("playbook: ubuntu-22.04-a770", "playbook: {name: mine.yml, vars: {cpu_ghz: 3.80}}");
    expect(read(vars).playbook).toEqual({ name: "mine.yml", vars: { cpu_ghz: "3.80" } });
  });

  it("binds a server of local hosts to loopback", () => {
    const text = `version: 1
hosts: [{name: here, connection: local}]
serve: {engine: vllm, model: /models/tiny}
`;
    expect(read(text, {}).serve).toMatchObject({ bind: "127.0.0.1", venv: null });
  });

  it("drops /v1 and the slash from a base URL, and needs no host for it", () => {
    const text = "version: 1\nserve: {engine: url, base-url: 'http://gpu:8000/v1/', served-model-name: m}\n";
    expect(read(text, {}).serve).toMatchObject({ engine: "url", baseUrl: "http://gpu:8000", servedModelName: "m" });
  });

  it("reads the shape of an open loop and the limits of a good answer", () => {
    const text = exampleWith(
      "[1, 8]",
      "4\n    request-rate: 2\n    arrivals: gamma\n    burstiness: 0.5\n    ramp-from-rate: 1\n    max-concurrency: 32\n    duration: 2m\n    shared-prefix-tokens: 512\n    usage-per-chunk: true\n    slo: {ttft: 500ms, tpot: 50ms}",
    );
    expect(read(text).workloads[0]).toMatchObject({
      requestRate: 2,
      arrivals: "gamma",
      burstiness: 0.5,
      rampFromRate: 1,
      maxConcurrency: 32,
      durationMs: 120_000,
      sharedPrefixTokens: 512,
      usagePerChunk: true,
      slo: { ttftMs: 500, tpotMs: 50 },
    });
  });

  it("leaves absent what the file does not say about a workload", () => {
    expect(Object.keys(read(EXAMPLE).workloads[0] ?? {})).not.toContain("slo");
    expect(Object.keys(read(EXAMPLE).workloads[0] ?? {})).not.toContain("arrivals");
  });

  it("follows aliases", () => {
    const text = EXAMPLE.replace("input-tokens: 1024", "input-tokens: &n 600").replace("512", "*n");
    expect(read(text).workloads[0]).toMatchObject({ inputTokens: 600, outputTokens: 600 });
  });

  it.each([
    { piece: "[1, 8]", replacement: "[16]", says: "concurrency 16 is over max-num-seqs 12" },
    { piece: "[1, 8]", replacement: "8\n    requests-per-level: 4", says: "4 requests never keep 8 in flight" },
    { piece: ":0.8.3-b19", replacement: ":latest", says: "moves, so runs do not compare" },
    {
      piece: "[1, 8]\ngate:",
      replacement: "8\n    repeats: 1\ngate:\n  baseline: old.json",
      says: "one repeat has no spread",
    },
  ])("warns that $says", ({ piece, replacement, says }) => {
    expect(read(exampleWith(piece, replacement)).warnings.join("\n")).toContain(says);
  });
});

describe("parseConfig() on a login", () => {
  const key = (config: RunConfig) => {
    const { login } = config.hosts[0] as SshHostSpec;
    if (login.kind === "private-key") return login.key.reveal();
    return login.kind === "agent" ? login.socket : login.kind;
  };

  it.each([
    {
      name: "its own variable first",
      add: "private-key-env: MINE",
      env: { MINE: "own", ARC_VLLM_SSH_PRIVATE_KEY: "usual" },
      is: "own",
    },
    {
      name: "the usual variable next",
      add: "port: 22",
      env: { ARC_VLLM_SSH_PRIVATE_KEY: "usual", SSH_AUTH_SOCK: "/a" },
      is: "usual",
    },
    { name: "the agent last", add: "port: 22", env: { SSH_AUTH_SOCK: "/agent" }, is: "/agent" },
    {
      name: "the agent when told so",
      add: "agent: true",
      env: { ARC_VLLM_SSH_PRIVATE_KEY: "usual", SSH_AUTH_SOCK: "/a" },
      is: "/a",
    },
  ])("takes $name", ({ add, env, is }) => {
    expect(key(read(exampleWith("    user: ci", `    user: ci\n    ${add}`), env))).toBe(is);
  });

  it("leaves the login to an ssh_config file that is named", () => {
    const text = exampleWith("    user: ci", "    user: ci\n    transport: openssh\n    ssh-config: lab/ssh_config");
    expect(read(text).hosts[0]).toMatchObject({
      transport: "openssh",
      sshConfigPath: "lab/ssh_config",
      login: { kind: "ssh-config" },
    });
  });

  it("names every secret that is missing and who asked for it", () => {
    const text = exampleWith(
      "    user: ci",
      "    user: ci\n    private-key-env: LAB_KEY\n    passphrase-env: LAB_PASS",
    );
    expect(failure(text, { LAB_PASS: "" })).toMatchObject({
      code: "SECRET_MISSING",
      message: `Cannot use the secrets of this run: 2 problems
  LAB_PASS: not set or empty, asked for by passphrase-env of host "a770-1"
  LAB_KEY: not set or empty, asked for by private-key-env of host "a770-1"`,
    });
    expect(failure(EXAMPLE, {}).message).toContain("ARC_VLLM_SSH_PRIVATE_KEY: not set or empty");
  });

  it("refuses a host about whose key nothing is said, and says how to find it out", () => {
    const text = exampleWith("    host-key: SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s\n", "");
    expect(failure(text)).toMatchObject({
      code: "HOST_KEY_MISSING",
      message: expect.stringContaining('host "a770-1"'),
      hint: expect.stringContaining("ssh-keygen -lf"),
    });
  });
});

describe("parseConfig() on a bad file", () => {
  it.each([
    {
      name: "an unknown flag",
      piece: "max-model-len: 2048",
      replacement: "max-model-length: 2048",
      problem: 'arc-vllm.yml:13:5 serve.flags.max-model-length: unknown flag, did you mean "max-model-len"?',
    },
    {
      name: "an unknown key",
      piece: "address:",
      replacement: "adress:",
      problem: 'arc-vllm.yml:4:5 hosts[0].adress: unknown key, did you mean "address"?',
    },
    {
      name: "an unknown section",
      piece: "gate:",
      replacement: "gates:",
      problem: 'arc-vllm.yml:20:1 gates: unknown key, did you mean "gate"?',
    },
    {
      name: "two swapped letters",
      piece: "    user: ci",
      replacement: "    user: ci\n    prot: 22",
      problem: 'arc-vllm.yml:6:5 hosts[0].prot: unknown key, did you mean "port"?',
    },
    {
      name: "a wrong choice",
      piece: "engine: ipex-llm",
      replacement: "engine: ipex_llm",
      problem:
        'arc-vllm.yml:9:11 serve.engine: found "ipex_llm", wanted one of "ipex-llm", "vllm", "url", did you mean "ipex-llm"?',
    },
    {
      name: "a wrong mode",
      piece: "mode: gate",
      replacement: "mode: gaet",
      problem: 'arc-vllm.yml:21:9 gate.mode: found "gaet", wanted one of "gate", "warn", did you mean "gate"?',
    },
    {
      name: "a number out of range",
      piece: "user: ci",
      replacement: "user: ci\n    port: 99999",
      problem: "arc-vllm.yml:6:11 hosts[0].port: found 99999, wanted an integer from 1 to 65535",
    },
    {
      name: "a wrong type",
      piece: "[1, 8]",
      replacement: "[1, eight]",
      problem: 'arc-vllm.yml:19:22 workloads[0].concurrency[1]: found "eight", wanted an integer from 1 to 4096',
    },
    {
      name: "a list that is a map",
      piece: "workloads:\n  - name: chat\n",
      replacement: "workloads:\n    name: chat\n",
      problem: "found {",
    },
    {
      name: "a flag out of range",
      piece: "max-num-seqs: 12",
      replacement: "max-num-seqs: 0",
      problem: "arc-vllm.yml:14:19 serve.flags.max-num-seqs: found 0, wanted an integer of 1 or more",
    },
    {
      name: "a time without a unit that exists",
      piece: "concurrency: [1, 8]",
      replacement: "stall-timeout: 90x",
      problem: 'arc-vllm.yml:19:20 workloads[0].stall-timeout: found "90x", wanted a time such as',
    },
    {
      name: "a version of the future",
      piece: "version: 1",
      replacement: "version: 2",
      problem: "arc-vllm.yml:1:10 version: found 2, wanted 1, the only version this release knows",
    },
    {
      name: "no user",
      piece: "    user: ci\n",
      replacement: "",
      problem: "arc-vllm.yml:3:5 hosts[0].user: missing, wanted a login name",
    },
    {
      name: "an empty value",
      piece: "user: ci",
      replacement: "user:",
      problem: "arc-vllm.yml:5:5 hosts[0].user: empty, wanted a login name",
    },
    {
      name: "an address that ssh would take for an option",
      piece: "10.0.0.5",
      replacement: "-oProxyCommand=x",
      problem: 'arc-vllm.yml:4:14 hosts[0].address: found "-oProxyCommand=x", wanted a host name or an IP address',
    },
    {
      name: "a path of a known_hosts file",
      piece: "host-key: SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s",
      replacement: "known-hosts: ~/.ssh/known_hosts",
      problem: "wanted lines of a known_hosts file (name, key type, key), not its path",
    },
    {
      name: "an image without a tag",
      piece: ":0.8.3-b19",
      replacement: "",
      problem: "wanted an image with a tag or a digest, not a bare name",
    },
    {
      name: "a mistake inside a playbook map",
      piece: "playbook: ubuntu-22.04-a770",
      replacement: "playbook: {name: mine.yml, var: {a: 1}}",
      problem: 'arc-vllm.yml:7:28 playbook.var: unknown key, did you mean "vars"?',
    },
    {
      name: "a key of another engine",
      piece: "  flags:",
      replacement: "  base-url: http://x\n  flags:",
      problem: "arc-vllm.yml:12:3 serve.base-url: unknown key, wanted one of engine, image, model",
    },
    {
      name: "an environment variable with a space",
      piece: "  flags:",
      replacement: "  env: {A B: 1}\n  flags:",
      problem: "arc-vllm.yml:12:9 serve.env.A B: this key cannot be used, wanted a variable name",
    },
    {
      name: "an environment value of two lines",
      piece: "  flags:",
      replacement: '  env: {A: "x\\ny"}\n  flags:',
      problem: 'arc-vllm.yml:12:12 serve.env.A: found "x\\ny", wanted one line of text',
    },
  ])("points at $name", ({ piece, replacement, problem }) => {
    const problems = problemsOf(exampleWith(piece, replacement));
    expect(
      problems.some((line) => line.includes(problem)),
      problems.join("\n"),
    ).toBe(true);
  });

  it.each([
    {
      name: "two hosts of one name",
      piece: "playbook:",
      replacement: "  - {name: a770-1, connection: local}\nplaybook:",
      problem: '7:12 hosts[1].name: "a770-1" is the name of hosts[0] too',
    },
    {
      name: "two workloads of one name",
      piece: "gate:",
      replacement: "  - {name: chat, input-tokens: 1, output-tokens: 2}\ngate:",
      problem: 'workloads[1].name: "chat" is the name of workloads[0] too',
    },
    {
      name: "a total time-out below the stall time-out",
      piece: "concurrency:",
      replacement: "total-timeout: 30s\n    concurrency:",
      problem: "19:20 workloads[0].total-timeout: 30000 ms is not above stall-timeout (60000 ms)",
    },
    {
      name: "more tokens than the model takes",
      piece: "512",
      replacement: "1500",
      problem: "17:19 workloads[0].input-tokens: 1024 + 1500 output tokens are over serve.flags.max-model-len (2048)",
    },
    {
      name: "a rate beside several levels",
      piece: "concurrency:",
      replacement: "request-rate: 2\n    concurrency:",
      problem: '20:18 workloads[0].concurrency: found 2 levels beside "request-rate", wanted one',
    },
    {
      name: "an ssh_config file without the ssh client",
      piece: "    user: ci",
      replacement: "    user: ci\n    ssh-config: lab/ssh_config",
      problem: '6:5 hosts[0].ssh-config: found without "transport: openssh", wanted both',
    },
    {
      name: "arrivals without a rate",
      piece: "[1, 8]",
      replacement: "8\n    arrivals: constant",
      problem: '20:15 workloads[0].arrivals: found without "request-rate", wanted both',
    },
    {
      name: "burstiness of other arrivals than gamma",
      piece: "[1, 8]",
      replacement: "8\n    request-rate: 2\n    burstiness: 2",
      problem: 'workloads[0].burstiness: found without "arrivals: gamma", wanted both',
    },
    {
      name: "a ramp that does not rise",
      piece: "[1, 8]",
      replacement: "8\n    request-rate: 2\n    ramp-from-rate: 2",
      problem: "workloads[0].ramp-from-rate: found 2, wanted less than request-rate (2)",
    },
    {
      name: "a shared prefix that is all of the prompt",
      piece: "[1, 8]",
      replacement: "8\n    shared-prefix-tokens: 1024",
      problem: "workloads[0].shared-prefix-tokens: found 1024, wanted fewer than input-tokens (1024)",
    },
    {
      name: "a budget below the delta",
      piece: "mode: gate",
      replacement: "metrics: {tpot_p50_ms: {delta-pct: 5, budget-pct: 3}}",
      problem: "gate.metrics.tpot_p50_ms.budget-pct: found 3, wanted at least delta-pct (5)",
    },
    {
      name: "an empty set of metrics",
      piece: "mode: gate",
      replacement: "metrics: {}",
      problem: "21:12 gate.metrics: found {}, wanted at least one metric",
    },
    {
      name: "more cards than listed",
      piece: "max-num-seqs: 12",
      replacement: "tensor-parallel-size: 2\n  cards: [0]",
      problem: '14:27 serve.flags.tensor-parallel-size: found 2, wanted at most 1, since "cards" lists 1 card',
    },
    {
      name: "a card twice",
      piece: "  flags:",
      replacement: "  cards: [0, 0]\n  flags:",
      problem: "12:10 serve.cards: found [0,0], wanted every card only once",
    },
    {
      name: "two ways to trust",
      piece: "    user: ci",
      replacement: "    user: ci\n    known-hosts: h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKnE",
      problem: '6:5 hosts[0].known-hosts: found beside "host-key", wanted one of the two',
    },
    {
      name: "two ways to log in",
      piece: "    user: ci",
      replacement: "    user: ci\n    agent: true\n    private-key-env: K",
      problem: '6:5 hosts[0].agent: true beside "private-key-env"',
    },
  ])("refuses $name", ({ piece, replacement, problem }) => {
    expect(problemsOf(exampleWith(piece, replacement)).join("\n")).toContain(problem);
  });

  it("refuses a server without a host and workloads without a server", () => {
    expect(problemsOf("version: 1\nserve: {engine: vllm, model: /m}\n")).toEqual([
      'arc-vllm.yml:1:1 hosts: missing, wanted at least one host (only engine "url" needs none)',
    ]);
    const text =
      "version: 1\nhosts: [{name: a, connection: local}]\nworkloads: [{name: w, input-tokens: 1, output-tokens: 2}]";
    expect(problemsOf(text)).toEqual(['arc-vllm.yml:3:1 workloads: found without "serve", wanted a server to measure']);
  });

  it("reports every mistake at once, in the order of the file", () => {
    const text = EXAMPLE.replace("user: ci", "user: -ci")
      .replace("max-num-seqs: 12", "max-num-seq: 12")
      .replace("mode: gate", "mod: gate");
    expect(problemsOf(text).map((line) => line.split(" ")[0])).toEqual([
      "arc-vllm.yml:5:11",
      "arc-vllm.yml:14:5",
      "arc-vllm.yml:21:3",
    ]);
    expect(failure(text).message).toMatch(/^Cannot use configuration "arc-vllm.yml": 3 problems\n/);
  });

  it.each([
    { name: "a tab", text: "version: 1\nhosts:\n\t- name: a\n", place: "3:1", says: "tab" },
    { name: "a key twice", text: "version: 1\nversion: 1\n", place: "2:1", says: "the same key twice" },
    { name: "two documents", text: "version: 1\n---\nversion: 1\n", place: "2:1", says: "a second document" },
    { name: "an open bracket", text: "version: [1\n", place: "2:1", says: "" },
    { name: "an unknown tag", text: "version: !int 1\n", place: "1:10", says: "tag" },
    { name: "an unknown alias", text: "version: *one\n", place: "1:1", says: "alias" },
    { name: "nothing at all", text: "", place: "1:1", says: "empty" },
    { name: "one word", text: "hello", place: "1:1", says: "a map of keys and values" },
    { name: "a list", text: "- version: 1", place: "1:1", says: "a map of keys and values" },
  ])("points at $name in the YAML", ({ text, place, says }) => {
    const problems = problemsOf(text);
    expect(problems[0]).toContain(`arc-vllm.yml:${place} `);
    expect(problems.join("\n")).toContain(says);
  });

  it("refuses aliases that would fill the memory", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefghi".split("").map((name, index) => {
        const last = "abcdefgh"[index];
        return `${name}: &${name} [${Array(9).fill(`*${last}`).join(",")}]`;
      }),
    ].join("\n");
    expect(problemsOf(bomb).join("\n")).toContain("alias");
  });

  it.each([
    {
      kind: "a private key",
      value: "|\n    -----BEGIN OPENSSH PRIVATE KEY-----\n    b3Blbn\n    -----END OPENSSH PRIVATE KEY-----",
    },
    { kind: "a Hugging Face token", value: "hf_abcdefghijklmnopqrstuvwxyzABCDEF" },
    { kind: "a GitHub token", value: "ghp_abcdefghijklmnopqrstuvwxyz0123456789" },
    { kind: "a bearer token", value: "Bearer abcdef0123456789" },
  ])("refuses $kind in the file without repeating it", ({ kind, value }) => {
    const text = exampleWith("  flags:", `  env:\n   TOKEN: ${value}\n  flags:`);
    const { message } = failure(text);
    expect(message).toContain(`serve.env.TOKEN: found ${kind}, wanted no secret in this file`);
    expect(message).not.toMatch(/b3Blbn|hf_abc|ghp_abc|abcdef0123/);
  });

  it("does not repeat the value of a key that is named like a secret", () => {
    const text = exampleWith("    max-num-seqs: 12", "    api-key: hunter2");
    expect(failure(text).message).toContain("serve.flags.api-key");
    expect(failure(text).message).not.toContain("hunter2");
  });

  it("explains that GitHub does not expand expressions here", () => {
    const text = exampleWith("user: ci", `user: $${"{{"} secrets.USER }}`);
    expect(problemsOf(text).join("\n")).toContain("only workflows expand these");
  });

  it("shows control characters of the file as text", () => {
    const message = failure(exampleWith("user: ci", 'user: "\\e[31mred\\u202e"')).message;
    expect(message).toContain("\\u001b[31mred\\u202e");
  });
});

describe("parseConfig() on any text", () => {
  const onlyAppErrors = (text: string) => {
    try {
      read(text);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
    }
  };

  it("throws nothing but AppError for random text", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })), onlyAppErrors), {
      numRuns: 500,
    });
  });

  it("throws nothing but AppError when pieces of YAML are put into the example", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "*a",
        "&a [*a]",
        "!!binary x",
        "? [a]: b",
        "<<: *x",
        "__proto__: 1",
        "- ",
        "|\n",
        "{",
        "\t",
        "%YAML 9",
        "null",
        ".nan",
        ".inf",
        "0x1g",
        "1e999",
        "'",
        '"\\x',
      ),
      fc.string({ unit: "binary", maxLength: 8 }),
    );
    const mutated = fc.tuple(fc.nat(EXAMPLE.length), fc.nat(20), piece);
    fc.assert(
      fc.property(mutated, ([at, cut, text]) => onlyAppErrors(EXAMPLE.slice(0, at) + text + EXAMPLE.slice(at + cut))),
      { numRuns: 1500 },
    );
  });

  it("throws nothing but AppError for any value at any place", () => {
    const paths = ["hosts", "playbook", "serve", "workloads", "gate", "history", "report"];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.jsonValue(), (section, value) =>
        onlyAppErrors(JSON.stringify({ version: 1, [section]: value })),
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    { name: "deep nesting", text: "[".repeat(50_000) },
    { name: "a deep flow map", text: "{a: ".repeat(20_000) },
    { name: "a huge text", text: `version: 1\n${"#".repeat(2_000_000)}` },
    { name: "a map as a key", text: "version: 1\n? {a: b}\n: c\n" },
    { name: "a recursive anchor", text: "version: 1\nhosts: &h [*h]\n" },
    { name: "a prototype key", text: "version: 1\n__proto__: {a: 1}\nconstructor: 2\n" },
    { name: "a byte order mark", text: `\ufeff${EXAMPLE}` },
  ])("survives $name", ({ text }) => onlyAppErrors(text));
});

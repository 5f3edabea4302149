import { createServer } from "node:net";
import type { IpexLlmServe, SshHostSpec } from "../../src/config/run-config.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Console } from "../../src/ports/console.ts";
import type { EmbeddedHost } from "../../src/sim/embedded-host.ts";

export const silent: Console = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  group: () => undefined,
  endGroup: () => undefined,
  progress: () => undefined,
};

/** How the pipeline reaches an embedded host. */
export function hostSpec(host: EmbeddedHost): SshHostSpec {
  return {
    connection: "ssh",
    name: "sim",
    address: host.address,
    port: host.sshPort,
    user: host.user,
    trust: { kind: "fingerprints", sha256: [host.hostKeySha256] },
    login: { kind: "private-key", key: new Secret(host.privateKey), passphrase: null },
    connectTimeoutMs: 5_000,
  };
}

/** Llama-3.1-8B in int4 on one card; tests say what differs. */
export function serveSpec(
  host: EmbeddedHost,
  port: number,
  flags: IpexLlmServe["flags"] = {},
  over: Partial<IpexLlmServe> = {},
): IpexLlmServe {
  return {
    engine: "ipex-llm",
    servedModelName: "llama",
    readyTimeoutMs: 20_000,
    apiKey: null,
    model: `${host.modelFolder}/Meta-Llama-3.1-8B-Instruct`,
    port,
    bind: "127.0.0.1",
    flags: {
      device: "xpu",
      dtype: "float16",
      "enforce-eager": true,
      "load-in-low-bit": "sym_int4",
      "max-model-len": 2048,
      "max-num-batched-tokens": 4000,
      "max-num-seqs": 12,
      "tensor-parallel-size": 1,
      ...flags,
    },
    env: {},
    cards: null,
    image: host.image,
    shmSizeGib: 16,
    pull: "missing",
    ...over,
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

import type { RunConfig } from "../config/run-config.ts";
import { parseConfig } from "../inputs/parse-config.ts";
import { SIMULATED_FINGERPRINT } from "../sim-commands/network-commands.ts";

export interface DemoHost {
  readonly sshPort: number;
  readonly modelPort: number;
  readonly user: string;
  readonly privateKey: string;
  readonly hostKeySha256: string;
}

/** The configuration of the demo: an ordinary arc-vllm.yml, as a user would write it for two A770s. */
export function demoConfig(host: DemoHost, reportDir: string, cards: 1 | 2): RunConfig {
  const text = `
version: 1
hosts:
  - name: arc-demo
    address: 127.0.0.1
    port: ${host.sshPort}
    user: ${host.user}
    host-key: ${host.hostKeySha256}
playbook:
  name: ubuntu-22.04-a770
  vars:
    # The second card maps only 256 MiB of its memory until somebody changes the BIOS.
    resizable_bar: warn
    # No internet in there: the repository and its key are made up.
    intel_key_fingerprints: "${SIMULATED_FINGERPRINT}"
serve:
  engine: ipex-llm
  image: intelanalytics/ipex-llm-serving-xpu:0.8.3-b19
  model: /srv/models/Meta-Llama-3.1-8B-Instruct
  served-model-name: Llama-3.1-8B
  port: ${host.modelPort}
  flags:
    trust-remote-code: true
    gpu-memory-utilization: 0.9
    device: xpu
    dtype: float16
    enforce-eager: true
    load-in-low-bit: sym_int4
    max-model-len: 2048
    max-num-batched-tokens: 4000
    max-num-seqs: 12
    tensor-parallel-size: ${cards}
workloads:
  - name: chat
    endpoint: /v1/completions
    input-tokens: 128
    output-tokens: 24
    concurrency: [1, 4]
    requests-per-level: 4
    warmup-waves: 1
    repeats: 3
report:
  dir: ${JSON.stringify(reportDir)}
`;
  const key = (name: string) => (name === "ARC_VLLM_SSH_PRIVATE_KEY" ? host.privateKey : undefined);
  return { ...parseConfig(text, "arc-vllm.yml", key), configPath: null };
}

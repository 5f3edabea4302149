/** A complete configuration; each test replaces or adds only what it is about. */
export const EXAMPLE = `version: 1
hosts:
  - name: a770-1
    address: 10.0.0.5
    user: ci
    host-key: SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s
playbook: ubuntu-22.04-a770
serve:
  engine: ipex-llm
  image: intelanalytics/ipex-llm-serving-xpu:0.8.3-b19
  model: /models/Llama-3.1-8B-Instruct
  flags:
    max-model-len: 2048
    max-num-seqs: 12
workloads:
  - name: chat
    input-tokens: 1024
    output-tokens: 512
    concurrency: [1, 8]
gate:
  mode: gate
`;

/** The example with one piece of text replaced; fails when the piece is not there. */
export function exampleWith(piece: string, replacement: string): string {
  if (!EXAMPLE.includes(piece)) throw new Error(`The example has no ${piece}`);
  return EXAMPLE.replace(piece, replacement);
}

/** An environment in which the example's login works. */
export const KEYED_ENV: Readonly<Record<string, string>> = { ARC_VLLM_SSH_PRIVATE_KEY: "key text" };

export function secretsFrom(env: Readonly<Record<string, string>>): (name: string) => string | undefined {
  return (name) => env[name];
}

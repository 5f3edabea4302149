import type { IpexLlmServe, UrlServe, VllmServe } from "../../src/config/run-config.ts";

const common = { servedModelName: "Llama-3.1", readyTimeoutMs: 60_000, apiKey: null };
const onPort = { model: "/models/Llama-3.1-8B", port: 8000, bind: "0.0.0.0", flags: {}, env: {}, cards: null };

/** A server on two A770s by the guide; each test states only what differs. */
export function ipexLlmServe(different: Partial<IpexLlmServe> = {}): IpexLlmServe {
  const image = "intelanalytics/ipex-llm-serving-xpu:0.8.3-b19";
  return { engine: "ipex-llm", ...common, ...onPort, image, shmSizeGib: 16, pull: "missing", ...different };
}

export function vllmServe(different: Partial<VllmServe> = {}): VllmServe {
  return { engine: "vllm", ...common, ...onPort, venv: "/opt/venv", ...different };
}

export function urlServe(different: Partial<UrlServe> = {}): UrlServe {
  return { engine: "url", ...common, baseUrl: "http://10.0.0.5:8000", ...different };
}

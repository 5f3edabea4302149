import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { dockerCreateWords, ipexLlmArgv, ipexLlmEnv } from "../../src/deploy/ipex-llm-container.ts";
import { ipexLlmServe } from "./serve-specs.ts";

describe("ipexLlmArgv()", () => {
  it("is the command of the A770 guide", () => {
    const flags = {
      "trust-remote-code": true,
      "gpu-memory-utilization": 0.9,
      "load-in-low-bit": "fp8",
      "max-model-len": 2048,
      "max-num-batched-tokens": 4000,
      "max-num-seqs": 12,
      "tensor-parallel-size": 2,
    };
    expect(ipexLlmArgv(ipexLlmServe({ flags })).join(" ")).toBe(
      "python -m ipex_llm.vllm.xpu.entrypoints.openai.api_server --served-model-name Llama-3.1 --port 8000 " +
        "--host 0.0.0.0 --model /llm/models/Llama-3.1-8B --device xpu --dtype float16 --enforce-eager " +
        "--trust-remote-code --gpu-memory-utilization 0.9 --load-in-low-bit fp8 --max-model-len 2048 " +
        "--max-num-batched-tokens 4000 --max-num-seqs 12 --tensor-parallel-size 2",
    );
  });
});

describe("ipexLlmEnv()", () => {
  it("is what the image's own start script exports for A-series cards", () => {
    expect(ipexLlmEnv(ipexLlmServe())).toMatchObject({
      USE_XETLA: "OFF",
      VLLM_USE_V1: "0",
      SYCL_CACHE_PERSISTENT: "1",
      FI_PROVIDER: "shm",
      CCL_ATL_TRANSPORT: "ofi",
      CCL_ZE_IPC_EXCHANGE: "sockets",
      CCL_WORKER_COUNT: "2",
    });
  });

  it("raises the oneCCL workers for four cards", () => {
    expect(ipexLlmEnv(ipexLlmServe({ flags: { "tensor-parallel-size": 4 } }))).toMatchObject({ CCL_WORKER_COUNT: "4" });
  });

  it("shows the server only the cards it may use", () => {
    expect(ipexLlmEnv(ipexLlmServe({ cards: [1, 3] }))).toMatchObject({ ZE_AFFINITY_MASK: "1,3" });
    expect(ipexLlmEnv(ipexLlmServe())).not.toHaveProperty("ZE_AFFINITY_MASK");
  });

  it("tells the engine's low-bit format to mixture-of-experts models", () => {
    expect(ipexLlmEnv(ipexLlmServe({ flags: { "load-in-low-bit": "sym_int4" } }))).toMatchObject({
      IPEX_LLM_LOWBIT: "sym_int4",
    });
  });

  it("lets the user's value win", () => {
    expect(ipexLlmEnv(ipexLlmServe({ env: { CCL_WORKER_COUNT: "1" } }))).toMatchObject({ CCL_WORKER_COUNT: "1" });
  });
});

describe("dockerCreateWords()", () => {
  const words = (different = {}, devices = { nodes: true, byPath: true }) =>
    dockerCreateWords(ipexLlmServe(different), devices);

  it("gives the container the cards, the host's network and no restart behind our back", () => {
    const line = words().join(" ");
    expect(line).toContain("--name arc-vllm-8000 ");
    expect(line).toContain("--network host --shm-size 16g --privileged --device /dev/dri ");
    expect(line).toContain("--restart no");
  });

  it("hands over the cards only, when the container must not be privileged", () => {
    const line = words({ privileged: false }).join(" ");
    expect(line).not.toContain("--privileged");
    expect(line).toContain(
      "--device /dev/dri --mount type=bind,source=/dev/dri/by-path,target=/dev/dri/by-path,readonly",
    );
  });

  it("leaves a device out that the host does not have", () => {
    expect(words({}, { nodes: false, byPath: false })).not.toContain("/dev/dri");
  });

  it.each([
    { model: "/models/a", mount: "type=bind,source=/models/a,target=/llm/models/a,readonly" },
    { model: "/models/a/", mount: "type=bind,source=/models/a/,target=/llm/models/a,readonly" },
    { model: '/m/a,"b"', mount: 'type=bind,"source=/m/a,""b""","target=/llm/models/a,""b""",readonly' },
  ])("mounts $model read-only under its own name", ({ model, mount }) => {
    expect(words({ model })).toContain(mount);
  });

  it("limits memory when asked to", () => {
    expect(words({ memoryLimitGib: 0.5 }).join(" ")).toContain("--memory 536870912b");
    expect(words()).not.toContain("--memory");
  });

  it("passes the API key by a file and never by a word", () => {
    const withKey = words({ apiKey: new Secret("hunter2") });
    expect(withKey).toContain(
      "type=bind,source=/var/lib/arc-vllm/servers/8000/api-key,target=/run/secrets/vllm-api-key,readonly",
    );
    expect(withKey.join(" ")).not.toContain("hunter2");
  });
});

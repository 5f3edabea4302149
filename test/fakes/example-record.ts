import type { GateSpec, Workload } from "../../src/config/run-config.ts";
import type { Deployment } from "../../src/deploy/deployment.ts";
import type { Distribution, LoadPoint } from "../../src/measure/load-point.ts";
import type { GpuFacts, HostFacts } from "../../src/probe/host-facts.ts";
import { completeRecord, newRunRecord } from "../../src/record/new-run-record.ts";
import type { RunRecord } from "../../src/record/run-record.ts";

/**
 * A complete, valid, eligible record of one A770 serving an 8B model; a test states only what differs.
 * Fingerprint, validity and eligibility are computed from the parts, unless they are overridden themselves.
 */
export function exampleRecord(overrides: Partial<RunRecord> = {}): RunRecord {
  const begun = newRunRecord({
    run: {
      id: "run-1",
      attempt: 1,
      url: "https://github.com/octo/llm/actions/runs/1",
      trigger: "schedule",
      startedAt: "2026-09-24T02:00:00.000Z",
      toolVersion: "0.1.0",
    },
    source: { repo: "octo/llm", branch: "main", sha: "0123456789abcdef0123456789abcdef01234567" },
    simulated: false,
    host: "arc-01",
    workloads: [exampleWorkload()],
  });
  const measured = {
    ...begun,
    facts: exampleFacts(),
    deployment: exampleDeployment(),
    points: examplePoints(),
    ...overrides,
  };
  return { ...completeRecord(measured, "2026-09-24T02:13:32.000Z", exampleGate()), ...overrides };
}

/** Three repeats at concurrency 12 with a run-to-run noise of about 1 %. */
export function examplePoints(tokS: readonly number[] = [436.1, 440.2, 437.4]): LoadPoint[] {
  return tokS.map((outputTokS, repeat) => examplePoint({ repeat, outputTokS }));
}

export interface PointOverrides extends Partial<Omit<LoadPoint, "metrics">> {
  readonly outputTokS?: number | null;
  readonly ttftMs?: number | null;
  readonly tpotMs?: number | null;
  readonly metrics?: Partial<LoadPoint["metrics"]>;
}

export function examplePoint(overrides: PointOverrides = {}): LoadPoint {
  const { outputTokS = 437.9, ttftMs = 1180, tpotMs = 24.3, metrics = {}, ...point } = overrides;
  return {
    workload: "chat",
    concurrency: 12,
    requestRate: null,
    repeat: 0,
    startedAt: "2026-09-24T02:05:00.000Z",
    durationMs: 112_000,
    requests: 96,
    outcomes: { ok: 96 },
    warnings: [],
    ...point,
    metrics: {
      outputTokS,
      totalTokS: outputTokS === null ? null : outputTokS * 3,
      requestS: outputTokS === null ? null : outputTokS / 512,
      successRatio: 1,
      promptTokens: 98_304,
      outputTokens: 49_152,
      tokensPerChunk: 1,
      ttftMs: ttftMs === null ? null : distribution(ttftMs),
      tpotMs: tpotMs === null ? null : distribution(tpotMs),
      e2eMs: ttftMs === null || tpotMs === null ? null : distribution(ttftMs + 511 * tpotMs),
      chunkGapMs: tpotMs === null ? null : distribution(tpotMs),
      userTokS: tpotMs === null ? null : distribution(1000 / tpotMs),
      ...metrics,
    },
  };
}

/** A narrow distribution around a median, with the tails that 96 requests support. */
export function distribution(p50: number): Distribution {
  return { n: 96, mean: p50 * 1.01, p50, p90: p50 * 1.08, p95: null, p99: null, min: p50 * 0.94, max: p50 * 1.2 };
}

export function exampleWorkload(overrides: Partial<Workload> = {}): Workload {
  return {
    name: "chat",
    endpoint: "/v1/chat/completions",
    inputTokens: 1024,
    outputTokens: 512,
    concurrency: [12],
    requestsPerLevel: 96,
    requestRate: null,
    repeats: 3,
    warmupWaves: 2,
    seed: 7,
    ignoreEos: true,
    temperature: 0,
    stallTimeoutMs: 60_000,
    totalTimeoutMs: 600_000,
    ...overrides,
  };
}

export function exampleGate(overrides: Partial<GateSpec> = {}): GateSpec {
  return {
    mode: "gate",
    baseline: null,
    onInconclusive: "warn",
    requireComparison: false,
    rules: [
      { metric: "output_tok_s", deltaPct: 3, budgetPct: 5, floor: null },
      { metric: "tpot_p50_ms", deltaPct: 3, budgetPct: 5, floor: 1 },
      { metric: "ttft_p50_ms", deltaPct: 10, budgetPct: 15, floor: 30 },
      { metric: "success_ratio", deltaPct: 0, budgetPct: 0, floor: null },
    ],
    minSuccessRatio: 0.99,
    ...overrides,
  };
}

export function exampleDeployment(overrides: Partial<Deployment> = {}): Deployment {
  const tensorParallel = overrides.tensorParallel ?? 1;
  return {
    host: "arc-01",
    engine: "ipex-llm",
    baseUrl: "http://10.0.0.5:8000",
    servedModelName: "Llama-3.1-8B",
    engineVersion: "0.8.3",
    imageDigest: `intelanalytics/ipex-llm-serving-xpu@sha256:${"ab".repeat(32)}`,
    argv: [
      "python",
      "-m",
      "ipex_llm.vllm.xpu.entrypoints.openai.api_server",
      ..."--served-model-name Llama-3.1-8B --port 8000 --model /llm/models/Meta-Llama-3.1-8B-Instruct".split(" "),
      ..."--trust-remote-code --gpu-memory-utilization 0.9 --device xpu --dtype float16 --enforce-eager".split(" "),
      ..."--load-in-low-bit fp8 --max-model-len 2048 --max-num-batched-tokens 4000 --max-num-seqs 12".split(" "),
      "--tensor-parallel-size",
      String(tensorParallel),
    ],
    env: { USE_XETLA: "OFF", SYCL_CACHE_PERSISTENT: "1", CCL_WORKER_COUNT: "2" },
    tensorParallel,
    maxModelLen: 2048,
    startedAt: "2026-09-24T02:01:00.000Z",
    readyMs: 94_000,
    ...overrides,
  };
}

export function exampleGpu(overrides: Partial<GpuFacts> = {}): GpuFacts {
  return {
    bdf: "0000:03:00.0",
    deviceId: "56a0",
    name: "Intel Arc A770",
    kind: "discrete",
    driver: "i915",
    vramMiB: 16_225,
    bar2MiB: 16_384,
    bar2Start: "0x6000000000",
    resizableBar: "full",
    above4g: true,
    clock: {
      path: "/sys/class/drm/card0/gt/gt0",
      minMhz: 2400,
      maxMhz: 2400,
      floorMhz: 300,
      ceilingMhz: 2400,
    },
    ...overrides,
  };
}

export function exampleFacts(overrides: Partial<HostFacts> = {}): HostFacts {
  return {
    host: "arc-01",
    readAt: "2026-09-24T02:00:05.000Z",
    os: { id: "ubuntu", versionId: "22.04", prettyName: "Ubuntu 22.04.4 LTS" },
    arch: "x86_64",
    bootId: "5f0c1c1e-9a54-4f0e-8a4b-1f7d6a2b3c4d",
    kernel: {
      running: "6.5.0-35-generic",
      installed: ["6.5.0-35-generic", "6.8.0-45-generic"],
      grubDefault: "6.5.0-35-generic",
      i915Path: "/lib/modules/6.5.0-35-generic/updates/dkms/i915.ko",
    },
    secureBoot: "disabled",
    dkms: [
      {
        name: "intel-i915-dkms",
        version: "1.24.3.23.240419.26",
        kernel: "6.5.0-35-generic",
        state: "installed",
        warning: null,
      },
    ],
    packages: { "intel-level-zero-gpu": { version: "1.3.29735.27-914~22.04", held: false } },
    login: { user: "ci", groups: ["ci", "render", "video"], canSudo: true },
    cpu: {
      model: "Intel(R) Xeon(R) w5-3423",
      cores: 24,
      driver: "intel_pstate",
      governor: "performance",
      minMhz: 3800,
      maxMhz: 3800,
      hardwareMaxMhz: 4200,
    },
    memoryMiB: 64_118,
    gpus: [exampleGpu()],
    renderNodes: ["/dev/dri/renderD128"],
    docker: "24.0.7",
    xpuSmi: "1.2.39",
    evidence: { "kernel.running": "6.5.0-35-generic" },
    warnings: [],
    ...overrides,
  };
}

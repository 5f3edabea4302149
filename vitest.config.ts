import { defineConfig } from "vitest/config";

/** Where `.ci/run` wants the JSON report that it counts. */
const resultsPath = process.env["ARC_VLLM_TEST_RESULTS"];

/**
 * One project per tier. `npm test` runs the first three: they need neither root nor a network.
 * The others need what `.ci/run` installs first (openssh-server, docker.io, a Python venv with vLLM, Node 24).
 */
export default defineConfig({
  test: {
    reporters: resultsPath === undefined ? ["default"] : ["default", ["json", { outputFile: resultsPath }]],
    projects: [
      tier("unit", ["test/**/*.test.ts"], ["test/contract/**", "test/e2e/**", "test/real/**", "test/lab/**"]),
      tier("contract", ["test/contract/**/*.test.ts"], [], 20_000, 1),
      // One at a time and after the others: what is measured there should not be our own tests.
      alone(tier("e2e", ["test/e2e/**/*.test.ts"], [], 180_000, 2)),
      tier("sshd", ["test/real/sshd/**/*.test.ts"], [], 120_000),
      tier("docker", ["test/real/docker/**/*.test.ts"], [], 180_000),
      tier("engine", ["test/real/engine/**/*.test.ts"], [], 300_000),
      tier("truth", ["test/real/truth/**/*.test.ts"], [], 120_000),
      lab(tier("lab", ["test/lab/**/*.test.ts"], [], 1_800_000)),
    ],
  },
});

function tier(name: string, include: string[], exclude: string[] = [], timeoutMs = 20_000, groupOrder = 0) {
  return {
    test: {
      name,
      include,
      exclude: ["node_modules/**", ...exclude],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      sequence: { groupOrder },
    },
  };
}

function alone({ test }: ReturnType<typeof tier>) {
  return { test: { ...test, maxWorkers: 1 } };
}

/** A lab host is one busy processor, so as many as there are run side by side; all share one image. */
function lab({ test }: ReturnType<typeof tier>) {
  return { test: { ...test, globalSetup: "test/lab/global-setup.ts", maxWorkers: 2, maxConcurrency: 2 } };
}

import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/inputs/parse-config.ts";
import { EXAMPLE, KEYED_ENV, secretsFrom } from "./config-text.ts";

/** The example whose only workload is this piece of YAML; keys start at column 5 of line 16. */
function withWorkload(lines: readonly string[]): string {
  const [before] = EXAMPLE.split("workloads:");
  return `${before}workloads:\n  - ${["name: chat", ...lines].join("\n    ")}\n`;
}

const workloadOf = (lines: readonly string[]) =>
  parseConfig(withWorkload(lines), "arc-vllm.yml", secretsFrom(KEYED_ENV)).workloads[0];

describe("a workload of arc-vllm.yml", () => {
  it("takes prompts from a file, whose answers have lengths of their own", () => {
    expect(workloadOf(["output-tokens: 64", "prompts: {file: p.jsonl}"])).toMatchObject({
      inputTokens: null,
      outputTokens: 64,
      prompts: { path: "p.jsonl", outputLengths: "file" },
    });
    const fixed = workloadOf(["output-tokens: 64", "prompts: {file: p.jsonl, output-lengths: workload}"]);
    expect(fixed?.prompts?.outputLengths).toBe("workload");
  });

  it.each([
    {
      lines: ["output-tokens: 64"],
      problem: 'workloads[0].input-tokens: missing, wanted an integer from 1 to 1000000, or "prompts.file"',
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "prompts: {file: p.jsonl}"],
      problem: 'workloads[0].input-tokens: found beside "prompts.file", wanted one of the two',
    },
    {
      lines: ["output-tokens: 64", "prompts: {file: p.jsonl, output-lengths: files}"],
      problem:
        'workloads[0].prompts.output-lengths: found "files", wanted one of "file", "workload", did you mean "file"?',
    },
  ])("is refused with $problem", ({ lines, problem }) => {
    expect(() => workloadOf(lines)).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(problem) }),
    );
  });
});

import { describe, expect, it } from "vitest";
import { ACTION_INPUTS, parseActionInputs } from "../../src/inputs/action-inputs.ts";

describe("parseActionInputs()", () => {
  it("reads inputs the way the runner hands them over", () => {
    const { options } = parseActionInputs({
      INPUT_CONFIG: " bench/arc-vllm.yml ",
      "INPUT_REPORT-DIR": "out",
      "INPUT_REQUIRE-COMPARISON": "True",
      INPUT_COMMAND: "check",
      INPUT_PLAYBOOK: "",
      PATH: "/bin",
    });
    expect(options).toEqual({
      config: "bench/arc-vllm.yml",
      "report-dir": "out",
      "require-comparison": true,
      command: "check",
    });
  });

  it.each([
    { variable: "INPUT_CONFG", says: 'input "confg": unknown, did you mean "config"?' },
    { variable: "INPUT_HOST_KEY", says: 'input "host_key": unknown, did you mean "host-key"?' },
    { variable: "INPUT_XYZZY", says: 'input "xyzzy": unknown, wanted one of config, command' },
  ])("refuses $variable", ({ variable, says }) => {
    expect(() => parseActionInputs({ [variable]: "x" })).toThrow(says);
  });

  it("names the input of a wrong value", () => {
    expect(() => parseActionInputs({ INPUT_COMMAND: "chekc" })).toThrow(
      'input "command": found "chekc", wanted one of "run", "check"',
    );
  });

  it("keeps secrets out of everything that is printed", () => {
    const overrides = parseActionInputs({ "INPUT_SSH-PRIVATE-KEY": "very secret" });
    expect(JSON.stringify(overrides)).not.toContain("very secret");
    expect(overrides.options["ssh-private-key"]?.reveal()).toBe("very secret");
  });

  it("has only names that GitHub allows", () => {
    expect(ACTION_INPUTS.filter((name) => !/^[a-z_][a-z0-9_-]*$/.test(name))).toEqual([]);
  });
});

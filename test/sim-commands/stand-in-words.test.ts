import { describe, expect, it } from "vitest";
import { parseCreate, toContainerSpec } from "../../src/sim-commands/docker-options.ts";
import { renderGoTemplate } from "../../src/sim-commands/go-template.ts";
import { compareVersions } from "../../src/sim-machine/debian-version.ts";
import { registryImage } from "../../src/sim-machine/docker-state.ts";
import { parseTimeSpan, parseUnitFile, splitExecLine } from "../../src/sim-machine/unit-file.ts";

describe("compareVersions()", () => {
  it.each([
    ["1.10", "1.9", 1],
    ["1.0~rc1", "1.0", -1],
    ["1:0.1", "9.9", 1],
    ["6.5.0-35.35~22.04.1", "6.5.0-41.41~22.04.2", -1],
    ["1.24.2.17.240301.20+i29-1", "1.24.3.23.240419.26+i30-1", -1],
    ["2.0", "2.0", 0],
  ])("orders %s and %s as dpkg does", (left, right, sign) => {
    expect(Math.sign(compareVersions(left, right))).toBe(sign);
  });
});

describe("parseCreate()", () => {
  it("reads options in every spelling and leaves the command alone", () => {
    const words = parseCreate([
      ...[
        "-itd",
        "--net=host",
        "--privileged",
        "--device=/dev/dri",
        "-v",
        "/srv/models:/llm/models",
        "-eA=1",
        "--env",
        "B=2",
      ],
      ...["--shm-size", "16g", "--memory", "32G", "--mount", '"type=bind","source=/a,b",target=/c,readonly'],
      ...["--entrypoint", "/bin/bash", "intelanalytics/ipex-llm-serving-xpu:0.8.3-b19", "-c", "echo", "--rm"],
    ]);
    const image = registryImage("intelanalytics/ipex-llm-serving-xpu:0.8.3-b19");
    if ("problem" in words || !image) throw new Error("the words were refused");
    expect(words).toMatchObject({ detach: true, command: ["-c", "echo", "--rm"] });
    expect(toContainerSpec(words, image, "fallback")).toMatchObject({
      name: "fallback",
      argv: ["/bin/bash", "-c", "echo", "--rm"],
      env: { A: "1", B: "2" },
      network: "host",
      memoryBytes: 32 * 2 ** 30,
      mounts: [
        { source: "/srv/models", target: "/llm/models" },
        { source: "/a,b", target: "/c" },
      ],
    });
  });

  it("wants an image and the values of options", () => {
    expect(parseCreate(["--privileged"])).toHaveProperty("problem");
    expect(parseCreate(["--name"])).toEqual({ problem: "flag needs an argument: --name" });
  });
});

describe("renderGoTemplate()", () => {
  const data = {
    State: { Status: "running", ExitCode: 0 },
    RepoDigests: ["a@sha256:1"],
    Labels: { "arc-vllm.port": "8000" },
  };

  it.each([
    ["{{.State.Status}} {{.State.ExitCode}}", "running 0"],
    ["{{json .RepoDigests}}", '["a@sha256:1"]'],
    ["{{index .RepoDigests 0}}", "a@sha256:1"],
    ['{{index .Labels "arc-vllm.port"}}', "8000"],
    ["{{.RepoDigests}}", "[a@sha256:1]"],
    ["{{.Nothing}}", null],
  ])("renders %s", (template, want) => {
    expect(renderGoTemplate(template, data)).toBe(want);
  });
});

describe("splitExecLine()", () => {
  it.each([
    ["/usr/bin/echo one 'two three' \"four five\"", ["/usr/bin/echo", "one", "two three", "four five"]],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of systemd.
    ["-/bin/sh -c 'echo $$HOME ${NAME} 100%%'", ["/bin/sh", "-c", "echo $HOME arc 100%"]],
    ["/bin/run $WORDS", ["/bin/run", "a", "b"]],
  ])("splits %s as systemd does", (line, want) => {
    expect(splitExecLine(line, { NAME: "arc", WORDS: "a b" })).toEqual(want);
  });
});

describe("parseUnitFile()", () => {
  it("joins continued lines and lets an empty assignment clear what came before", () => {
    const unit = parseUnitFile(
      "[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b \\\n  two\n# ExecStart=/bin/c\n",
    );
    expect(unit.all("Service", "ExecStart")).toEqual(["/bin/b    two"]);
    expect(unit.first("Unit", "ExecStart")).toBeNull();
  });

  it.each([
    ["90", 90_000],
    ["2min 30s", 150_000],
    ["500ms", 500],
  ])("reads the time span %s", (text, ms) => {
    expect(parseTimeSpan(text)).toBe(ms);
  });
});

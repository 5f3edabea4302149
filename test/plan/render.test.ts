import { describe, expect, it } from "vitest";
import { planHost } from "../../src/plan/plan-host.ts";
import { renderDiff } from "../../src/plan/render-diff.ts";
import { renderPlaybook } from "../../src/playbook/render-playbook.ts";
import { findStep } from "../../src/playbook/select-steps.ts";
import { goodFacts } from "../fakes/host-facts.ts";
import { shippedPlaybook, smallPlaybook } from "../fakes/shipped-playbook.ts";

describe("renderPlaybook()", () => {
  it("shows every step with its scripts and the values they get", () => {
    const playbook = shippedPlaybook("ubuntu-22.04-a770.yml");
    const text = renderPlaybook(playbook);
    for (const [index, { name }] of playbook.steps.entries()) expect(text).toContain(`# ${index + 1}. ${name} (`);
    expect(text).toContain('# $RELEASE = "6.5.0-35-generic"');
    expect(text).toContain("# Hosts: ubuntu 22.04 amd64; as root");
    expect(text).toContain("# assert resizable-bar of each card (fail), judged from the facts");
    expect(text).toContain("# --- apply (ends by itself when the connection breaks)");
  });
});

describe("renderPlaybook() of one step", () => {
  it("keeps its number and shows the values that depend on the host", () => {
    const playbook = shippedPlaybook("ubuntu-22.04-a770.yml");
    const text = renderPlaybook(playbook, { name: "lab-1", user: "ci" }, findStep(playbook, "User may use the GPU"));
    expect(text.match(/^# \d+\. /gm)).toEqual(["# 19. "]);
    expect(text).toContain('# For host: lab-1\n# $ARC_LOGIN_USER = "ci"\n# $KERNEL');
  });

  it("is chosen by its number too, and refused with the nearest name", () => {
    const playbook = shippedPlaybook("ubuntu-22.04-a770.yml");
    expect(findStep(playbook, "1")).toBe(playbook.steps[0]);
    expect(() => findStep(playbook, "Kernel package")).toThrow('did you mean "Kernel packages"?');
    expect(() => findStep(playbook, "0")).toThrow(/a name or a number from 1 to \d+ is wanted/);
  });
});

describe("renderDiff()", () => {
  const step = (said: string, exitCode = 1) =>
    planHost(
      smallPlaybook("  - name: f\n    file: { path: /etc/x, content: new }\n"),
      goodFacts(),
      new Map([["step-0", { exitCode, text: said }]]),
    ).steps;

  it.each([
    {
      of: "a value as from and to",
      said: "@before gawk absent\n@after gawk 5.1\n@before gawk not held\n@after gawk held\n",
      is: "-gawk absent\n+gawk 5.1\n-gawk not held\n+gawk held",
    },
    {
      of: "a file as its diff alone",
      said: "@before /etc/x differs\n@after /etc/x\n@diff --- /etc/x\n@diff +++ /etc/x\n@diff @@ -1 +1 @@\n@diff -old\n@diff +new\n",
      is: "--- /etc/x\n+++ /etc/x\n@@ -1 +1 @@\n-old\n+new",
    },
    {
      of: "a file beside what else differs",
      said: "@before runs 6.8\n@after runs 6.5\n@before no /etc/x\n@after /etc/x\n@diff --- /dev/null\n@before mode 600\n@after mode 644\n",
      is: "-runs 6.8\n+runs 6.5\n--- /dev/null\n-mode 600\n+mode 644",
    },
    { of: "what is wrong, without what is wanted", said: "@before not as it must be\n", is: "-not as it must be" },
    { of: "a check that says nothing", said: "noise\n", is: "  its check does not say what" },
  ])("shows $of", ({ said, is }) => {
    expect(renderDiff(step(said))).toBe(`# f\n${is}`);
  });

  it("is empty when nothing would change", () => {
    expect(renderDiff(step("@before a\n@after b\n", 0))).toBe("");
  });

  it("shows a reboot that another step asks for", () => {
    const steps =
      "  - name: f\n    file: { path: /etc/x, content: new }\n    reboot: if-changed\n  - name: r\n    reboot: {}\n";
    const outputs = new Map([
      ["step-0", { exitCode: 1, text: "@before a\n@after b\n" }],
      ["step-1", { exitCode: 0, text: "" }],
    ]);
    expect(renderDiff(planHost(smallPlaybook(steps), goodFacts(), outputs).steps)).toBe(
      "# f\n-a\n+b\n\n# r\n+rebooted",
    );
  });
});

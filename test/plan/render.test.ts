import { describe, expect, it } from "vitest";
import { planHost } from "../../src/plan/plan-host.ts";
import { renderDiff } from "../../src/plan/render-diff.ts";
import { renderPlaybook } from "../../src/plan/render-playbook.ts";
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

describe("renderDiff()", () => {
  const steps = "  - name: f\n    file: { path: /etc/x, content: new }\n";
  const said =
    "@before /etc/x differs\n@after /etc/x as in the playbook\n@diff --- /etc/x\t2026-01-01\n@diff +++ -\t2026-01-02\n@diff @@ -1 +1 @@\n@diff -old\n@diff +new\n";
  const plan = (exitCode: number) =>
    planHost(smallPlaybook(steps), goodFacts(), new Map([["step-0", { exitCode, text: said }]]));

  it("shows what would become of a file", () => {
    expect(renderDiff(plan(1))).toBe("# f\n--- /etc/x\n+++ /etc/x as in the playbook\n@@ -1 +1 @@\n-old\n+new");
  });

  it("is empty when nothing would change", () => {
    expect(renderDiff(plan(0))).toBe("");
  });
});

import { describe, expect, it } from "vitest";
import { checkRows, checkSection } from "../../src/plan/check-rows.ts";
import { planHost } from "../../src/plan/plan-host.ts";
import { planProblem } from "../../src/plan/plan-problem.ts";
import { leftOutWarnings, selectSteps } from "../../src/playbook/select-steps.ts";
import { goodFacts, goodGpu } from "../fakes/host-facts.ts";
import { smallPlaybook } from "../fakes/shipped-playbook.ts";

const outputs = (texts: Record<number, [number | null, string]>) =>
  new Map(Object.entries(texts).map(([index, [exitCode, text]]) => [`step-${index}`, { exitCode, text }]));

const file = (name: string, more = "") => `  - name: ${name}\n    file: { path: /etc/${name}, content: x }\n${more}`;

describe("planHost()", () => {
  it("takes before, after, evidence and diff from what a check says", () => {
    const said = "noise\n@before a is 1\n@before b is 2\n@after 3\n@diff +x\n";
    const plan = planHost(smallPlaybook(file("a")), goodFacts(), outputs({ 0: [1, said] }));
    expect(plan.steps[0]).toMatchObject({
      status: "would-change",
      before: "a is 1, b is 2",
      after: "3",
      evidence: "noise",
      diff: "-a is 1\n+x",
    });
    expect(planProblem(plan)).toBeNull();
  });

  it("calls a check failed that never came to its end", () => {
    const plan = planHost(smallPlaybook(file("a")), goodFacts(), outputs({ 0: [null, "half"] }));
    expect(plan.steps[0]?.status).toBe("failed");
  });

  it("blocks what needs a failed assertion, and what needs that", () => {
    const steps = `  - name: bios\n    assert: { that: secure-boot-off }\n${file("a", "    needs: [bios]\n")}${file("b", "    needs: [a]\n")}`;
    const facts = goodFacts({ secureBoot: "enabled" });
    const plan = planHost(smallPlaybook(steps), facts, outputs({ 1: [0, ""], 2: [1, ""] }));
    expect(plan.steps.map(({ status }) => status)).toEqual(["failed", "blocked", "blocked"]);
    expect(plan.steps[2]).toMatchObject({ before: 'needs "a"', remedy: expect.stringContaining("Secure Boot") });
  });

  it("leaves an assertion open that can only be judged after a change", () => {
    const steps = `${file("a")}  - name: later\n    needs: [a]\n    assert: { that: kernel-release, want: 6.8.0-45-generic }\n`;
    const changing = planHost(smallPlaybook(steps), goodFacts(), outputs({ 0: [1, ""] }));
    expect(changing.steps[1]).toMatchObject({ status: "skipped", before: 'judged after "a"' });
    const settled = planHost(smallPlaybook(steps), goodFacts(), outputs({ 0: [0, ""] }));
    expect(settled.steps[1]?.status).toBe("failed");
  });

  it("has one row per card, and says so when there is none", () => {
    const playbook = smallPlaybook("  - name: bar\n    assert: { that: resizable-bar }\n");
    const two = goodFacts({ gpus: [goodGpu(), goodGpu({ bdf: "0000:07:00.0", resizableBar: "off", bar2MiB: 256 })] });
    expect(planHost(playbook, two, new Map()).steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "bar (0000:03:00.0) ok",
      "bar (0000:07:00.0) failed",
    ]);
    const none = planHost(playbook, goodFacts({ gpus: [] }), new Map());
    expect(none.steps[0]).toMatchObject({ status: "skipped", before: "no Intel GPU card on this host" });
  });

  it("warns instead of failing when a requirement cannot be judged", () => {
    const playbook = smallPlaybook("  - name: bar\n    assert: { that: resizable-bar }\n");
    const plan = planHost(playbook, goodFacts({ gpus: [goodGpu({ resizableBar: null })] }), new Map());
    expect(plan.steps[0]?.status).toBe("warning");
    expect(planProblem(plan)).toBeNull();
  });

  it("foresees a reboot that a changing step asks for", () => {
    const steps = `${file("a", "    reboot: if-changed\n")}  - name: r\n    reboot: {}\n`;
    const plan = planHost(smallPlaybook(steps), goodFacts(), outputs({ 0: [1, ""], 1: [0, ""] }));
    expect(plan.steps[1]).toMatchObject({ status: "would-change", before: '"a" will change' });
    expect(plan.needsReboot).toBe(true);
    expect(planHost(smallPlaybook(steps), goodFacts(), outputs({ 0: [0, ""], 1: [0, ""] })).needsReboot).toBe(false);
  });

  it("needs a reboot for another kernel, and none for a changed default of the running one", () => {
    const playbook = smallPlaybook("  - name: k\n    kernel: { release: 6.5.0-35-generic }\n");
    const other = goodFacts({ kernel: { ...goodFacts().kernel, running: "6.8.0-45-generic" } });
    expect(planHost(playbook, other, outputs({ 0: [1, ""] })).needsReboot).toBe(true);
    expect(planHost(playbook, goodFacts(), outputs({ 0: [1, ""] })).needsReboot).toBe(false);
  });

  it("blocks changes but still judges assertions on a host that the playbook is not for", () => {
    const steps = `${file("a")}  - name: gpu\n    assert: { that: gpu-present }\n`;
    const playbook = smallPlaybook(steps, 'hosts: { os: ubuntu, release: ["22.04", "24.04"] }\n');
    const debian = goodFacts({ os: { id: "debian", versionId: "12", prettyName: "Debian 12" }, gpus: [] });
    const plan = planHost(playbook, debian, outputs({ 0: [1, ""] }));
    expect(plan.steps.map(({ status }) => status)).toEqual(["failed", "blocked", "failed"]);
    expect(planProblem(plan)).toMatchObject({
      code: "HOST_UNSUPPORTED",
      message: 'Cannot apply playbook "small" to host "arc-01": it is debian 12 amd64, ubuntu 22.04 or 24.04 is wanted',
    });
  });
});

describe("planProblem()", () => {
  it("lists every requirement that is not met and each remedy once", () => {
    const steps =
      "  - name: bar\n    assert: { that: resizable-bar }\n  - name: boot\n    assert: { that: secure-boot-off }\n";
    const off = { resizableBar: "off", bar2MiB: 256 } as const;
    const facts = goodFacts({ secureBoot: "enabled", gpus: [goodGpu(off), goodGpu({ ...off, bdf: "0000:07:00.0" })] });
    const problem = planProblem(planHost(smallPlaybook(steps), facts, new Map()));
    expect(problem).toMatchObject({
      code: "HOST_NOT_READY",
      message: expect.stringContaining("3 requirements are not met"),
    });
    expect(problem?.hint.match(/Re-Size BAR/g)).toHaveLength(1);
    expect(problem?.hint).toContain("Secure Boot");
  });
});

describe("selectSteps()", () => {
  const steps = `${file("a", "    tags: [one]\n")}${file("b", "    tags: [two]\n")}${file("c")}${file("d", "    tags: [always]\n")}`;
  const chosen = (tags: readonly string[], skip: readonly string[]) => selectSteps(smallPlaybook(steps), tags, skip);

  it.each([
    { tags: [], skip: [], want: ["a", "b", "c", "d"] },
    { tags: ["one"], skip: [], want: ["a", "d"] },
    { tags: [], skip: ["two"], want: ["a", "c", "d"] },
    { tags: ["one", "two"], skip: ["two"], want: ["a", "d"] },
    { tags: ["one"], skip: ["always"], want: ["a"] },
  ])("keeps $want with tags $tags without $skip", ({ tags, skip, want }) => {
    const { steps: all } = chosen(tags, skip);
    expect(all.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
    expect(all.filter(({ isLeftOut }) => !isLeftOut).map(({ name }) => name)).toEqual(want);
  });

  it("refuses tags that no step has, all of them, with what was meant", () => {
    expect(() => chosen(["twoo", "one"], ["zzzzzz"])).toThrow(
      'Cannot use these tags with playbook "small": 2 problems\n' +
        '  no step has the tag "twoo", did you mean "two"?\n' +
        '  no step has the tag "zzzzzz", wanted one of always, one, two',
    );
  });

  it("leaves steps out of the plan without a question to the host, also when what they need is broken", () => {
    const needy = `  - name: bios\n    tags: [one]\n    assert: { check: 'false' }\n${file("b", "    tags: [two]\n    needs: [bios]\n")}`;
    const playbook = selectSteps(smallPlaybook(needy), ["one"], []);
    const plan = planHost(playbook, goodFacts(), outputs({ 0: [1, ""] }));
    expect(plan.steps.map(({ status, before }) => [status, before])).toEqual([
      ["failed", null],
      ["skipped", "left out by tags"],
    ]);
    const rows = checkRows(playbook, goodFacts());
    expect(rows.map((row) => checkSection(row) === null)).toEqual([false, true]);
  });
});

describe("leftOutWarnings()", () => {
  it("names what was left out, and says nothing of a whole playbook", () => {
    const playbook = smallPlaybook(`${file("a", "    tags: [one]\n")}${file("b")}`);
    expect(leftOutWarnings(playbook)).toEqual([]);
    expect(leftOutWarnings(selectSteps(playbook, ["one"], []))).toEqual([
      'Tags left out 1 of 2 steps of playbook "small": "b"',
    ]);
  });
});

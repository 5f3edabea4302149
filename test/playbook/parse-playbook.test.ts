import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/app-error.ts";
import { parsePlaybook, playbookSources } from "../../src/playbook/parse-playbook.ts";

const folder = join(import.meta.dirname, "../../playbooks");
const shipped = readdirSync(folder).filter((name) => name.endsWith(".yml"));

function parseShipped(name: string, vars: Record<string, string> = {}) {
  const text = readFileSync(join(folder, name), "utf8");
  const sources = playbookSources(text).map((file) => [file, readFileSync(join(folder, file), "utf8")] as const);
  return parsePlaybook(text, `playbooks/${name}`, vars, new Map(sources));
}

const head = "version: 1\nname: test\n";

/** The lines of the message below its first one. */
function problemsOf(text: string, vars: Record<string, string> = {}): string[] {
  try {
    parsePlaybook(text, "p.yml", vars);
  } catch (error) {
    expect(error).toMatchObject({ code: "PLAYBOOK_INVALID" });
    return (error as AppError).message.split("\n  ").slice(1);
  }
  return [];
}

const oneStep = (step: string) => `${head}vars: { kernel: 6.5.0-35-generic }\nsteps:\n  - name: s\n    ${step}\n`;

describe("parsePlaybook()", () => {
  it.each(shipped.map((name) => ({ name })))("accepts the shipped $name", ({ name }) => {
    expect(parseShipped(name).steps.length).toBeGreaterThan(5);
  });

  it("fills variables into structured fields and hands them to bash as environment", () => {
    const playbook = parseShipped("ubuntu-22.04-a770.yml", { kernel: "6.5.0-41-generic" });
    const step = playbook.steps.find(({ name }) => name === "Boot 6.5.0-41-generic");
    expect(step?.work).toMatchObject({ env: { RELEASE: "6.5.0-41-generic" } });
    expect(playbook.vars["kernel"]).toBe("6.5.0-41-generic");
    const scripts = playbook.steps.map(({ work }) => (work.type === "scripts" ? work.check + work.apply : ""));
    expect(scripts.join("")).not.toContain("6.5.0-41");
  });

  it.each([
    {
      name: "a misspelt key",
      text: oneStep("apt: { package: [gawk] }"),
      want: [
        "p.yml:6:10 steps[0].apt.packages: missing, wanted a list",
        'p.yml:6:12 steps[0].apt.package: unknown key, did you mean "packages"?',
      ],
    },
    {
      name: "a misspelt kind",
      text: oneStep("aptt: { packages: [gawk] }"),
      want: [/steps\[0\].aptt: unknown key, did you mean "apt"\?/, /exactly one of apt, apt_repo/],
    },
    {
      name: "a misspelt section",
      text: `${head}step: []\n`,
      want: [/steps: missing/, 'p.yml:3:1 step: unknown key, did you mean "steps"?'],
    },
    {
      name: "two kinds in one step",
      text: oneStep("apt: { packages: [gawk] }\n    reboot: {}"),
      want: [/exactly one of/],
    },
    {
      name: "an option in place of a package",
      text: oneStep('apt: { packages: ["--allow-unauthenticated"] }'),
      want: [/found "--allow-unauthenticated", wanted a package as/],
    },
    { name: "a relative path", text: oneStep("file: { path: etc/x, content: a }"), want: [/wanted an absolute path/] },
    {
      name: "a path that climbs",
      text: oneStep("file: { path: /etc/../x, content: a }"),
      want: [/wanted an absolute path/],
    },
    {
      name: "content and source",
      text: oneStep("file: { path: /etc/x, content: a, source: b }"),
      want: [/one of "content" and "source"/],
    },
    {
      name: "a source that is not there",
      text: oneStep("file: { path: /etc/x, source: files/nope.sh }"),
      want: [/found "files\/nope.sh", wanted a file beside the playbook/],
    },
    {
      name: "an unknown variable",
      text: oneStep('hold: { packages: ["linux-{{ kernl }}"] }'),
      want: [/unknown variable "kernl", did you mean "kernel"\?/, /wanted a package name/],
    },
    {
      name: "a variable written into bash",
      text: oneStep('shell: { check: "uname -r | grep {{ kernel }}", apply: "true" }'),
      want: [/found \{\{ kernel \}\} in bash, wanted "\$KERNEL"/],
    },
    {
      name: "a need that is not earlier",
      text: oneStep("needs: [later]\n    reboot: {}\n  - name: later\n    reboot: {}"),
      want: [/no earlier step "later"/],
    },
    { name: "the same name twice", text: oneStep("reboot: {}\n  - name: s\n    reboot: {}"), want: [/"s" twice/] },
    {
      name: "a number where text is wanted",
      text: `${head}vars: { mhz: 2400 }\nsteps: [{ name: s, reboot: {} }]\n`,
      want: [/vars.mhz: found 2400, wanted text: put the value in quotes/],
    },
    {
      name: "a variable that bash needs",
      text: `${head}vars: { path: x }\nsteps: [{ name: s, reboot: {} }]\n`,
      want: [/vars.path: \$PATH has a meaning already/],
    },
    { name: "hold on another kind", text: oneStep("hold: true\n    reboot: {}"), want: [/it belongs to apt steps/] },
    {
      name: "an unknown requirement",
      text: oneStep("assert: { that: resizeable-bar }"),
      want: [/did you mean "resizable-bar"\?/],
    },
    {
      name: "a requirement without its value",
      text: oneStep("assert: { that: kernel-release }"),
      want: [/"want" for "kernel-release": a kernel release/],
    },
    {
      name: "a requirement with a value it does not take",
      text: oneStep("assert: { that: above-4g, want: x }"),
      want: [/no value: "above-4g" takes none/],
    },
    {
      name: "a bad severity from a variable",
      text: `${head}vars: { s: loud }\nsteps: [{ name: s, assert: { that: above-4g, severity: "{{ s }}" } }]\n`,
      want: [/wanted one of "fail", "warn"/],
    },
    {
      name: "a bad duration",
      text: oneStep("timeout: soon\n    reboot: {}"),
      want: [/timeout: found "soon", wanted a time such as/],
    },
    {
      name: "another version",
      text: "version: 2\nname: test\nsteps: [{ name: s, reboot: {} }]\n",
      want: [/version: found 2, wanted 1/],
    },
    { name: "no YAML", text: "steps: [", want: [/p\.yml:1:\d+ /] },
    { name: "a list at the top", text: "- a\n", want: [/the file: found \["a"\], wanted a map/] },
    { name: "nothing", text: "", want: [/the file: (missing|empty)/] },
  ])("names the place of $name", ({ text, want }) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(want.length);
    for (const wanted of want) {
      expect(problems).toContainEqual(typeof wanted === "string" ? wanted : expect.stringMatching(wanted));
    }
  });

  it("reports all problems at once", () => {
    const text = `${head}hosts: { os: Ubuntu }\nsteps:\n  - name: a\n    apt: { packages: [] }\n  - name: b\n    unit: { name: x, state: on }\n`;
    expect(problemsOf(text)).toHaveLength(4);
  });

  it("refuses a variable that the playbook does not have", () => {
    expect(problemsOf(oneStep("reboot: {}"), { kernal: "x" })).toEqual([
      'p.yml:3:1 vars: the playbook has no variable "kernal", did you mean "kernel"?',
    ]);
  });

  it("throws nothing but PLAYBOOK_INVALID, whatever the text", () => {
    const original = readFileSync(join(folder, "ubuntu-22.04-a770.yml"), "utf8");
    const mangled = fc
      .record({ from: fc.nat(original.length), cut: fc.nat(300), junk: fc.string({ unit: "binary", maxLength: 40 }) })
      .map(({ from, cut, junk }) => original.slice(0, from) + junk + original.slice(from + cut));
    fc.assert(
      fc.property(fc.oneof(mangled, fc.string({ unit: "binary" })), (text) => {
        try {
          parsePlaybook(text, "p.yml", {});
        } catch (error) {
          expect(error instanceof AppError && error.code).toBe("PLAYBOOK_INVALID");
        }
        expect(Array.isArray(playbookSources(text))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

import junitReportBuilder, { type TestCase, type TestSuite } from "junit-report-builder";
import type { JunitCase, JunitSuite } from "./junit-suite.ts";

export interface JunitOptions {
  /** Shown by viewers as the place of every case, which also keeps some of them from searching the workspace. */
  readonly file: string | null;
}

/**
 * JUnit XML that dorny/test-reporter, mikepenz/action-junit-report, EnricoMi/publish-unit-test-result, Jenkins and
 * GitLab all read: flat, named, with counts, times of three decimals, `file` and `line` on every case.
 */
export function renderJunit(suites: readonly JunitSuite[], options: JunitOptions): string {
  // The default export is one builder shared by the whole process.
  const builder = junitReportBuilder.newBuilder().name("arc-vllm");
  for (const suite of suites) addSuite(builder.testSuite(), suite, options);
  return `${builder.build()}\n`;
}

function addSuite(target: TestSuite, suite: JunitSuite, options: JunitOptions): void {
  target.name(legal(suite.name)).time(seconds(suite.cases.reduce((sum, junitCase) => sum + junitCase.seconds, 0)));
  if (suite.timestamp !== null) target.timestamp(suite.timestamp.replace(/\.\d+/, "").replace(/Z$/, ""));
  for (const junitCase of suite.cases) addCase(target.testCase(), junitCase, options);
}

function addCase(target: TestCase, junitCase: JunitCase, options: JunitOptions): void {
  target.className(legal(junitCase.classname)).name(legal(junitCase.name)).time(seconds(junitCase.seconds));
  if (options.file !== null) target.file(legal(options.file));
  for (const [name, value] of junitCase.properties) target.property(legal(name), legal(value));
  addOutcome(target, junitCase);
  if (junitCase.systemOut !== null) target.standardOutput(legal(junitCase.systemOut));
  addMissingAttributes(target, junitCase, options);
}

function addOutcome(target: TestCase, { outcome }: JunitCase): void {
  switch (outcome.kind) {
    case "passed":
      return;
    case "skipped":
      target.skipped();
      return;
    case "failure":
      target.failure(legal(outcome.message), outcome.type).stacktrace(legal(outcome.text));
      return;
    case "error":
      target.error(legal(outcome.message), outcome.type, legal(outcome.text));
      return;
  }
}

/** The builder has no setter for `line` nor for the message of a skipped case, so they are added to what it builds. */
function addMissingAttributes(target: TestCase, { outcome }: JunitCase, options: JunitOptions): void {
  const build = target.build.bind(target);
  target.build = (parent) => {
    const element = build(parent);
    if (options.file !== null) element.att("line", 1);
    if (outcome.kind === "skipped") {
      const skipped = element.children.find((child) => "name" in child && child.name === "skipped");
      if (skipped === undefined) throw new Error("junit-report-builder no longer writes <skipped>");
      (skipped as typeof element).att("message", legal(outcome.message));
    }
    return element;
  };
}

/** Three decimals and no exponent, as the Jenkins schema wants. */
function seconds(value: number): number {
  return Number(Math.max(0, value).toFixed(3));
}

/**
 * Server logs carry colours and control characters. XML 1.0 has no way to write the latter, and "]]>" would end the
 * section that the builder puts texts in.
 */
function legal(text: string): string {
  return text
    .replaceAll(ANSI_ESCAPE, "")
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "")
    .replaceAll("]]>", "]] >");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one.
const ANSI_ESCAPE = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

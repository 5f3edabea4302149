import { XMLParser } from "fast-xml-parser";

/** An element as fast-xml-parser gives it when it keeps the order: one key for the name, ":@" for the attributes. */
interface XmlNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlNode[];
  readonly text: string;
}

/**
 * Every rule that a JUnit file of ours breaks, in words: the structure that dorny/test-reporter insists on, the Jenkins
 * schema junit-10.xsd with `file`, `line` and case properties added, and the traps of GitLab and mikepenz.
 */
export function junitViolations(xml: string): string[] {
  if (CONTROL.test(xml)) return ["the file holds a character that XML 1.0 cannot hold"];
  const [root, ...others] = parseXml(xml).filter((node) => node.name !== "?xml");
  if (root === undefined || others.length > 0) return ["one root element is wanted"];
  return [
    ...elementViolations(root, "testsuites", ["testsuite"], ROOT_ATTRIBUTES, ["tests", "failures", "errors"]),
    ...countViolations(root, casesOf(root)),
    ...root.children.flatMap(suiteViolations),
    ...repeated(root.children.map((suite) => suite.attributes["name"] ?? "")).map((name) => `suite "${name}" twice`),
    ...repeated(casesOf(root).map(identity)).map((name) => `case "${name}" twice`),
  ];
}

export function casesOf(node: XmlNode): XmlNode[] {
  return node.children.flatMap((child) => (child.name === "testcase" ? [child] : casesOf(child)));
}

export function parseXml(xml: string): XmlNode[] {
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    trimValues: false,
  });
  return toNodes(parser.parse(xml));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const ROOT_ATTRIBUTES = ["name", "tests", "failures", "errors", "skipped", "time"];
const SUITE_ATTRIBUTES = ["name", "tests", "failures", "errors", "skipped", "time", "timestamp"];
const CASE_ATTRIBUTES = ["classname", "name", "time", "file", "line"];
const SECONDS = /^\d+(\.\d{1,3})?$/;

function suiteViolations(suite: XmlNode): string[] {
  return [
    ...elementViolations(suite, "testsuite", ["testcase"], SUITE_ATTRIBUTES, [
      "name",
      "tests",
      "failures",
      "errors",
      "time",
    ]),
    ...countViolations(suite, casesOf(suite)),
    ...(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(suite.attributes["timestamp"] ?? "2026-01-01T00:00:00")
      ? []
      : [`timestamp ${suite.attributes["timestamp"]} is not ISO 8601 without a zone`]),
    ...casesOf(suite).flatMap(caseViolations),
  ];
}

function caseViolations(junitCase: XmlNode): string[] {
  const children = ["properties", "failure", "error", "skipped", "system-out", "system-err"];
  const results = junitCase.children.filter((child) => ["failure", "error", "skipped"].includes(child.name));
  return [
    ...elementViolations(junitCase, "testcase", children, CASE_ATTRIBUTES, ["classname", "name", "time"]),
    ...(results.length > 1 ? [`${identity(junitCase)} has ${results.length} results`] : []),
    ...results.filter((result) => !result.attributes["message"]).map(() => `${identity(junitCase)} says nothing`),
    ...((junitCase.attributes["classname"] ?? "").split(".").includes("")
      ? [`${identity(junitCase)} has an empty level`]
      : []),
    ...("file" in junitCase.attributes !== "line" in junitCase.attributes
      ? [`${identity(junitCase)} has half a place`]
      : []),
  ];
}

function elementViolations(
  node: XmlNode,
  name: string,
  children: string[],
  attributes: string[],
  required: string[],
): string[] {
  const where = `<${node.name} ${identity(node)}>`;
  const time = node.attributes["time"];
  return [
    ...(node.name === name ? [] : [`${where} where <${name}> is wanted`]),
    ...node.children.filter((child) => !children.includes(child.name)).map((child) => `${where} holds <${child.name}>`),
    ...Object.keys(node.attributes)
      .filter((key) => !attributes.includes(key))
      .map((key) => `${where} has ${key}=`),
    ...required.filter((key) => !node.attributes[key]).map((key) => `${where} lacks ${key}=`),
    ...(time === undefined || SECONDS.test(time) ? [] : [`${where} has time="${time}"`]),
  ];
}

function countViolations(node: XmlNode, cases: readonly XmlNode[]): string[] {
  const counts = {
    tests: cases.length,
    failures: having(cases, "failure"),
    errors: having(cases, "error"),
    skipped: having(cases, "skipped"),
  };
  return Object.entries(counts)
    .filter(([key, count]) => node.attributes[key] !== String(count))
    .map(([key, count]) => `<${node.name}> says ${key}="${node.attributes[key]}", and there are ${count}`);
}

function having(cases: readonly XmlNode[], name: string): number {
  return cases.filter((junitCase) => junitCase.children.some((child) => child.name === name)).length;
}

function identity({ attributes }: XmlNode): string {
  return [attributes["classname"], attributes["name"]].filter(Boolean).join("::");
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

function toNodes(parsed: unknown): XmlNode[] {
  return (parsed as Record<string, unknown>[])
    .filter((entry) => !("#text" in entry))
    .map((entry) => {
      const name = Object.keys(entry).find((key) => key !== ":@") ?? "";
      const inner = (entry[name] ?? []) as Record<string, unknown>[];
      return {
        name,
        attributes: (entry[":@"] ?? {}) as Record<string, string>,
        children: toNodes(inner),
        text: inner.map((part) => String(part["#text"] ?? "")).join(""),
      };
    });
}

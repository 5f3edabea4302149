import type { ConfigProblem } from "./config-problem.ts";
import type { ConfigFile } from "./config-schema.ts";
import { OPEN_WEBUI_CHAT } from "./endpoint-api.ts";
import { checkFlags } from "./engine-flags.ts";
import { flagNumber } from "./serve-schema.ts";
import { workloadProblems } from "./workload-rules.ts";

/** Sections that are right by themselves; a section with a mistake in it is absent. */
export type ValidSections = Partial<ConfigFile>;

/** What is wrong between fields that are each right. A rule is left out when a section it looks at is not valid. */
export function ruleProblems(sections: ValidSections): ConfigProblem[] {
  return [
    ...repeatedNames(sections.hosts ?? [], "hosts"),
    ...repeatedNames(sections.workloads ?? [], "workloads"),
    ...loginProblems(sections),
    ...missingSections(sections),
    ...(sections.workloads ?? []).flatMap((workload, index) =>
      workloadProblems(workload, flagNumber(sections.serve, "max-model-len")).map(({ field, text }) =>
        problem(["workloads", index, field], text),
      ),
    ),
    ...gateProblems(sections),
    ...cardProblems(sections),
    ...endpointProblems(sections),
    ...throughProblems(sections),
  ];
}

function repeatedNames(entries: readonly { readonly name: string }[], section: "hosts" | "workloads"): ConfigProblem[] {
  return entries.flatMap(({ name }, index) => {
    const first = entries.findIndex((entry) => entry.name === name);
    if (first === index) return [];
    return [problem([section, index, "name"], `"${name}" is the name of ${section}[${first}] too, names must differ`)];
  });
}

function loginProblems({ hosts = [] }: ValidSections): ConfigProblem[] {
  return hosts.flatMap((host, index) => {
    if (host.connection === "local") return [];
    const problems: ConfigProblem[] = [];
    if (host["host-key"] !== undefined && host["known-hosts"] !== undefined) {
      problems.push(problem(["hosts", index, "known-hosts"], 'found beside "host-key", wanted one of the two', "key"));
    }
    if (host["ssh-config"] !== undefined && host.transport !== "openssh") {
      problems.push(problem(["hosts", index, "ssh-config"], 'found without "transport: openssh", wanted both', "key"));
    }
    if (host.agent && host["private-key-env"] !== undefined) {
      problems.push(problem(["hosts", index, "agent"], 'true beside "private-key-env", wanted one of the two', "key"));
    }
    return problems;
  });
}

/** Open WebUI stands before a server that someone else runs, and has none of the paths of one. */
function endpointProblems({ serve, workloads = [] }: ValidSections): ConfigProblem[] {
  const [first] = workloads;
  return workloads.flatMap(({ endpoint }, index) => {
    const isWebUi = endpoint === OPEN_WEBUI_CHAT;
    if (isWebUi && serve !== undefined && serve.engine !== "url") {
      return [problem(["workloads", index, "endpoint"], `found with engine "${serve.engine}", wanted engine "url"`)];
    }
    if (isWebUi === (first?.endpoint === OPEN_WEBUI_CHAT)) return [];
    return [
      problem(["workloads", index, "endpoint"], `${endpoint} beside ${first?.endpoint}, which is another server's`),
    ];
  });
}

function throughProblems({ serve, hosts = [] }: ValidSections): ConfigProblem[] {
  if (serve?.through !== "ssh") return [];
  const local = hosts.find(({ connection }) => connection === "local");
  const why = local === undefined ? "a host" : `host "${local.name}", which is this machine`;
  return local === undefined && hosts.length > 0
    ? []
    : [
        problem(
          ["serve", "through"],
          `found "ssh" ${local === undefined ? "without" : "for"} ${why}, wanted a host with SSH`,
        ),
      ];
}

function missingSections(sections: ValidSections): ConfigProblem[] {
  const { hosts, serve, workloads } = sections;
  const problems: ConfigProblem[] = [];
  if (hosts?.length === 0 && serve !== undefined && serve.engine !== "url") {
    problems.push(problem(["hosts"], 'missing, wanted at least one host (only engine "url" needs none)', "key"));
  }
  if (workloads !== undefined && workloads.length > 0 && "serve" in sections && serve === undefined) {
    problems.push(problem(["workloads"], 'found without "serve", wanted a server to measure', "key"));
  }
  return problems;
}

function gateProblems({ gate }: ValidSections): ConfigProblem[] {
  if (gate?.metrics !== undefined && Object.keys(gate.metrics).length === 0) {
    return [problem(["gate", "metrics"], "found {}, wanted at least one metric (leave it out for the defaults)")];
  }
  return Object.entries(gate?.metrics ?? {}).flatMap(([metric, rule]) => {
    const delta = rule?.["delta-pct"];
    const budget = rule?.["budget-pct"];
    if (delta === undefined || budget === undefined || budget >= delta) return [];
    return [
      problem(["gate", "metrics", metric, "budget-pct"], `found ${budget}, wanted at least delta-pct (${delta})`),
    ];
  });
}

/** Flags were checked one by one with the schema; how many cards they need shows only beside `cards`. */
function cardProblems({ serve }: ValidSections): ConfigProblem[] {
  if (serve === undefined || serve.engine === "url" || serve.cards === undefined) return [];
  return checkFlags(serve.engine, serve.flags, serve.cards)
    .filter(({ severity }) => severity === "error")
    .map(({ flag, value, wanted }) => problem(["serve", "flags", flag], `found ${value}, wanted ${wanted}`));
}

function problem(path: ConfigProblem["path"], text: string, at: ConfigProblem["at"] = "value"): ConfigProblem {
  return { path, at, text };
}

import { type ConfigDocument, openConfigDocument } from "../config/config-document.ts";
import { type ConfigProblem, describeIssues, showPath, wantedWords } from "../config/config-problem.ts";
import { ruleProblems, type ValidSections } from "../config/config-rules.ts";
import { type ConfigFile, configSchema } from "../config/config-schema.ts";
import { embeddedSecrets } from "../config/embedded-secrets.ts";
import { inputProblems } from "../config/input-problems.ts";
import type { GateSpec, HistorySpec, PlaybookRef, ReportSpec, RunConfig } from "../config/run-config.ts";
import type { AppError } from "../core/app-error.ts";
import { escapeControls } from "../core/show-value.ts";
import { buildRunConfig, gateSpec, playbookRef } from "./build-run-config.ts";
import { optionsInvalid } from "./option-table.ts";
import { applyOverrides } from "./overrides.ts";
import { NO_OVERRIDES, type Overrides } from "./run-options.ts";
import { openSecretBox } from "./secret-box.ts";

/** A configuration file as it was read. */
export interface ConfigSource {
  readonly text: string;
  readonly path: string;
}

/**
 * Reads `arc-vllm.yml`. Throws INPUT_INVALID with every mistake and its file:line:column, HOST_KEY_MISSING, or
 * SECRET_MISSING; nothing else, whatever the text.
 */
export function parseConfig(text: string, path: string, secrets: (name: string) => string | undefined): RunConfig {
  return loadConfig({ text, path }, NO_OVERRIDES, secrets);
}

/** The configuration of a run from a file, if there is one, and the options of the Action or the command line over it. */
export function loadConfig(
  source: ConfigSource | null,
  overrides: Overrides,
  secrets: (name: string) => string | undefined,
): RunConfig {
  const merged = mergedFile(source, overrides);
  const config = buildRunConfig(merged, source?.path ?? null, openSecretBox(secrets, overrides.options));
  const seconds = overrides.options["certificate-seconds"];
  return seconds === undefined ? config : { ...config, certificateSeconds: seconds };
}

/** The gate alone, for commands that judge records: they need no host, so neither its key nor its secrets are asked for. */
export function loadGate(
  source: ConfigSource | null,
  overrides: Overrides,
): { gate: GateSpec; report: ReportSpec; history: HistorySpec | null } {
  const { gate, report, history = null } = mergedFile(source, overrides);
  return { gate: gateSpec(gate), report, history };
}

/** The playbook and who logs in where, for commands that touch no host. */
export function loadPlay(
  source: ConfigSource | null,
  overrides: Overrides,
): { playbook: PlaybookRef | null; hosts: readonly { readonly name: string; readonly user: string | null }[] } {
  const { playbook, hosts } = mergedFile(source, overrides);
  const logins = hosts.map((host) => ({ name: host.name, user: host.connection === "ssh" ? host.user : null }));
  return { playbook: playbookRef(playbook), hosts: logins };
}

function mergedFile(source: ConfigSource | null, overrides: Overrides): ConfigFile {
  const file = source === null ? configSchema.parse({ version: 1 }) : readConfigFile(source, overrides);
  const merged = applyOverrides(file, overrides);
  const problems = ruleProblems(merged);
  if (problems.length > 0) throw optionsInvalid(problems.map(withoutPlace));
  return merged;
}

/** The file by itself: syntax, then schema, secrets and rules together. */
function readConfigFile(source: ConfigSource, overrides: Overrides): ConfigFile {
  const document = openConfigDocument(source.text);
  const path = escapeControls(source.path);
  if (document.syntaxProblems.length > 0) {
    throw configInvalid(
      path,
      document.syntaxProblems.map(({ place, text }) => `${path}:${place} ${escapeControls(text)}`),
    );
  }
  const parsed = configSchema.safeParse(document.value, { error: wantedWords });
  const problems = [
    ...(parsed.success ? [] : describeIssues(parsed.error.issues, document.value)),
    ...embeddedSecrets(document.value),
    ...ruleProblems(hostsFromOptions(validSections(document.value), overrides)),
  ];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw configInvalid(path, inOrder(problems, document, path));
}

/** Each section that is right by itself, so that rules between sections are checked although another one is wrong. */
function validSections(value: unknown): ValidSections {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const sections: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(configSchema.shape)) {
    const parsed = schema.safeParse((value as Record<string, unknown>)[name]);
    if (parsed.success) sections[name] = parsed.data;
  }
  return sections;
}

/** With `host` or `local` among the options a file needs no hosts. */
function hostsFromOptions(sections: ValidSections, { options }: Overrides): ValidSections {
  if (options.host === undefined && options.local !== true) return sections;
  const { hosts: _replaced, ...others } = sections;
  return others;
}

function inOrder(problems: readonly ConfigProblem[], document: ConfigDocument, path: string): string[] {
  const placed = problems.map((problem) => {
    const place = document.placeOf(problem.path, problem.at);
    const [line = 0, column = 0] = place.split(":").map(Number);
    return { line, column, text: `${path}:${place} ${withoutPlace(problem)}` };
  });
  placed.sort((a, b) => a.line - b.line || a.column - b.column);
  return [...new Set(placed.map(({ text }) => text))];
}

function withoutPlace({ path, text }: ConfigProblem): string {
  return `${showPath(path)}: ${escapeControls(text)}`;
}

function configInvalid(path: string, problems: readonly string[]): AppError {
  const hint =
    "Correct the lines above; docs/config.md lists every key, and the JSON Schema gives completion in editors";
  return inputProblems(`configuration "${path}"`, problems, hint);
}

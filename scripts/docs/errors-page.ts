import { ERROR_CODES } from "../../src/core/app-error.ts";
import { code, GENERATED, table } from "./markdown.ts";

const EXIT_CODES: readonly (readonly [number, string])[] = [
  [0, "Passed: nothing became worse, or the gate only warns"],
  [1, "The gate failed: a regression, or what the configuration treats as one"],
  [2, "Something that was given is wrong: a file, an input, a flag, a record"],
  [3, "A host cannot be reached, is not as required, or could not be changed"],
  [4, "The model server could not be started, did not become ready, or does not answer as it should"],
  [5, "The measurement cannot be trusted"],
  [70, "A bug of ours, or a report that could not be written"],
  [75, "Another run holds the host; try again later"],
  [130, "The run was cancelled"],
];

export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES)
    .toSorted(([, a], [, b]) => a.exitCode - b.exitCode)
    .map(([name, { exitCode, means }]) => [code(name), String(exitCode), `${means}.`]);
  return `${GENERATED}

# Errors

A run that stops prints what happened with its code in brackets, the details below, and what to do next:

\`\`\`text
Cannot use configuration "arc-vllm.yml": 1 problem [INPUT_INVALID]
  arc-vllm.yml:12:5 serve.flags.max-model-length: unknown flag, did you mean "max-model-len"?
  try: Correct the lines above; docs/config.md lists every key, and the JSON Schema gives completion in editors
\`\`\`

## Exit codes

${table(
  ["Exit code", "Meaning"],
  EXIT_CODES.map(([exitCode, means]) => [String(exitCode), `${means}.`]),
)}

The Action fails its step with the same codes. Text that begins with \`Internal error\` is a bug: report it whole.

## Codes

${table(["Code", "Exit code", "Meaning"], rows)}
`;
}

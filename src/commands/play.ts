import { nearestWord } from "../config/nearest-word.ts";
import type { PlaybookRef } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { loadPlay } from "../inputs/parse-config.ts";
import type { Overrides } from "../inputs/run-options.ts";
import { loadPlaybook, shippedPlaybooks } from "../pipeline/load-playbook.ts";
import type { World } from "../pipeline/world.ts";
import { type RenderedHost, renderPlaybook } from "../playbook/render-playbook.ts";
import { findStep } from "../playbook/select-steps.ts";
import { playbookTable } from "../report/playbook-table.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { readConfigFile } from "./read-config.ts";

export interface RenderRequest {
  /** Null: the one of the configuration. */
  readonly playbook: string | null;
  /** A host of the configuration, whose values are then used; null: the playbook's own values. */
  readonly host: string | null;
  /** Number or name of the only step to show. */
  readonly step: string | null;
}

/** The scripts of a playbook as hosts get them, with the values beside them. Touches no host. */
export async function playRender(request: RenderRequest, overrides: Overrides, world: World): Promise<CommandOutcome> {
  const wantsConfig = request.playbook === null || request.host !== null;
  const config = wantsConfig ? loadPlay(await readConfigFile(overrides, world.files), overrides) : null;
  const host = request.host === null ? null : findHost(request.host, config?.hosts ?? []);
  const playbook = await loadPlaybook(chosen(request.playbook, config?.playbook ?? null), world);
  const only = request.step === null ? null : findStep(playbook, request.step);
  const steps = only === null ? playbook.steps : [only];
  return { exitCode: 0, text: renderPlaybook(playbook, host, only), json: { ...playbook, steps } };
}

/** Playbooks by name or path, or all that are shipped: their steps with kinds and tags. */
export async function playList(names: readonly string[], world: World): Promise<CommandOutcome> {
  const listed = [];
  for (const name of names.length === 0 ? await shippedPlaybooks(world) : names) {
    listed.push({ name, playbook: await loadPlaybook({ name, vars: {} }, world) });
  }
  return {
    exitCode: 0,
    text: listed.map(({ name, playbook }) => playbookTable(name, playbook)).join("\n\n"),
    json: listed.map(({ name, playbook: { name: title, hosts, vars, steps } }) => ({
      ...{ name, title, hosts, vars },
      steps: steps.map(({ name: step, kind, tags, needs }) => ({ name: step, kind, tags, needs })),
    })),
  };
}

/** The values of the configuration are for its own playbook and mean nothing to another one. */
function chosen(named: string | null, configured: PlaybookRef | null): PlaybookRef {
  if (configured !== null && (named === null || named === configured.name)) return configured;
  if (named !== null) return { name: named, vars: {} };
  throw new AppError("INPUT_INVALID", {
    message: "Cannot render a playbook: none is named, and the configuration names none",
    hint: "Name one, for example: arc-vllm play render ubuntu-22.04-a770",
  });
}

function findHost(name: string, hosts: readonly RenderedHost[]): RenderedHost {
  const found = hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  const known = hosts.map((host) => host.name);
  const near = nearestWord(name, known);
  const wanted = near === null ? `wanted one of ${known.join(", ") || "none, it has none"}` : `did you mean "${near}"?`;
  throw new AppError("INPUT_INVALID", {
    message: `Cannot render for host "${name}": the configuration has no such host, ${wanted}`,
    hint: "Name a host of the configuration, or leave --host out",
  });
}

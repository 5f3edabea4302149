import { cpus } from "node:os";
import { eventLoopWatch } from "../adapters/event-loop-watch.ts";
import { folderRecordStore } from "../adapters/folder-record-store.ts";
import { nodeFiles } from "../adapters/node-files.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { httpModelStream } from "../adapters-http/http-model-stream.ts";
import { openShell } from "../adapters-shell/open-shell.ts";
import { runIdentity, sourceIdentity } from "../pipeline/run-identity.ts";
import type { World } from "../pipeline/world.ts";
import type { Console } from "../ports/console.ts";
import { startTruthProcess } from "../truth/truth-process.ts";
import { cliPath } from "./cli-path.ts";
import { productRoot } from "./product-root.ts";

/** The hidden command that turns a process into the truth server. */
export const TRUTH_COMMAND = "truth-server";

/** The world as it is: real clock, files, network and hosts. */
export async function realWorld(console: Console, signal: AbortSignal): Promise<World> {
  return {
    clock: systemClock,
    files: nodeFiles,
    console,
    color: false,
    models: httpModelStream(),
    openModels: httpModelStream,
    loopWatch: eventLoopWatch,
    startTruth: () => startTruthProcess(cliPath(), [TRUTH_COMMAND]),
    machine: { cpu: cpus()[0]?.model.trim() ?? "unknown CPU", cores: cpus().length, node: process.versions.node },
    openShell: (host) => openShell(host, systemClock),
    openStore: (history) => folderRecordStore(history.path, nodeFiles),
    signal,
    identity: runIdentity(process.env, systemClock.isoNow()),
    source: await sourceIdentity(process.env),
    simulated: false,
    productRoot: productRoot(),
    measureInTurn: (work) => work(),
    rememberServer: () => {},
  };
}

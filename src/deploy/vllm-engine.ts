import { toArgv } from "../config/engine-flags.ts";
import type { VllmServe } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import type { Shell } from "../ports/shell.ts";
import type { Engine, Observation } from "./engine.ts";
import { parseFactLines } from "./fact-lines.ts";
import { requireFreePort, requireModel } from "./preflight.ts";
import { runIdempotent } from "./run-idempotent.ts";
import { CHECK_HOST, OBSERVE_PROCESS, START_PROCESS } from "./vllm-scripts.ts";
import { envWords, wordList } from "./word-list.ts";

interface VllmContext {
  readonly shell: Shell;
  readonly serve: VllmServe;
  readonly signal: AbortSignal;
  readonly owner?: string;
}

/** `vllm serve` as a process of the login user, in a session of its own on the host. */
export function vllmEngine(context: VllmContext): Engine {
  return {
    async prepare() {
      const argv = vllmArgv(await checkHost(context), context.serve);
      const env = vllmEnv(context.serve);
      return async () => {
        await startProcess(context, argv, env);
        return { argv, env, imageDigest: null, imageTag: null };
      };
    },
    observe: (logLines) => observeProcess(context, logLines),
  };
}

function vllmArgv(command: string, serve: VllmServe): string[] {
  return [
    ...[command, "serve", serve.model, "--served-model-name", serve.servedModelName],
    ...["--host", serve.bind, "--port", String(serve.port), ...toArgv("vllm", serve.flags)],
  ];
}

function vllmEnv(serve: VllmServe): Record<string, string> {
  return {
    VLLM_NO_USAGE_STATS: "1",
    ...(serve.cards === null ? {} : { ZE_AFFINITY_MASK: serve.cards.join(",") }),
    ...serve.env,
  };
}

/** The vllm command on the host. */
async function checkHost({ shell, serve, signal }: VllmContext): Promise<string> {
  const script: Script = {
    name: "check what the server needs",
    text: CHECK_HOST,
    env: { VENV: serve.venv ?? "", MODEL: serve.model, SERVER_PORT: String(serve.port) },
  };
  const facts = parseFactLines(
    expectOk(shell.host, script, await shell.run(script, { timeoutMs: 60_000, signal })).stdout,
  );
  const command = facts.first("vllm");
  if (command === null) throw vllmMissing(shell.host, serve.venv);
  requireModel(shell.host, serve, facts);
  requireFreePort(shell.host, serve, facts);
  return command;
}

function vllmMissing(host: string, venv: string | null): AppError {
  const where =
    venv === null ? "there is no vllm command in PATH" : `"${venv}/bin/vllm" is not there or not executable`;
  return new AppError("ENGINE_MISSING", {
    message: `Cannot start the vllm engine on host "${host}": ${where}`,
    hint: 'Install vLLM on the host and set "serve.venv" to the folder of its virtual environment',
  });
}

async function startProcess(
  { shell, serve, owner }: VllmContext,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const script: Script = {
    name: `start vllm on port ${serve.port}`,
    text: START_PROCESS,
    env: {
      SERVER_PORT: String(serve.port),
      SERVER_WORDS: wordList(argv),
      ENV_WORDS: wordList(envWords(env)),
      API_KEY: serve.apiKey ?? "",
      OWNER: owner ?? "",
    },
  };
  // Never cut in half: a cancelled run must find either no server or one that `stop` can see.
  expectOk(shell.host, script, await shell.run(script, { timeoutMs: 60_000, onDisconnect: "finish" }));
}

async function observeProcess({ shell, serve }: VllmContext, logLines: number): Promise<Observation> {
  const script: Script = {
    name: `look at vllm on port ${serve.port}`,
    text: OBSERVE_PROCESS,
    env: { SERVER_PORT: String(serve.port), LOG_LINES: String(logLines) },
  };
  const facts = parseFactLines((await runIdempotent(shell, script, { timeoutMs: 30_000 })).stdout);
  const exit = facts.first("exit");
  return {
    state: facts.first("state") === "running" ? "running" : "exited",
    exitCode: exit === null ? null : Number(exit),
    oomKilled: false,
    error: null,
    log: facts.rest,
  };
}

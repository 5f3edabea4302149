import type { IpexLlmServe } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import type { Console } from "../ports/console.ts";
import type { Shell } from "../ports/shell.ts";
import type { Engine, Observation } from "./engine.ts";
import { type FactLines, parseFactLines } from "./fact-lines.ts";
import { containerName, dockerCreateWords, type HostDevices, ipexLlmArgv, ipexLlmEnv } from "./ipex-llm-container.ts";
import { CHECK_HOST, OBSERVE_CONTAINER, PULL_IMAGE, START_CONTAINER } from "./ipex-llm-scripts.ts";
import { diagnoseLog } from "./log-diagnosis.ts";
import { requireFreePort, requireModel } from "./preflight.ts";
import { runIdempotent } from "./run-idempotent.ts";
import { wordList } from "./word-list.ts";

interface IpexLlmContext {
  readonly shell: Shell;
  readonly console: Console;
  readonly serve: IpexLlmServe;
  readonly signal: AbortSignal;
  readonly owner?: string;
  readonly survivesReboot?: boolean;
}

/** The ipex-llm serving image in a container, kept by a systemd unit where the host runs systemd. */
export function ipexLlmEngine(context: IpexLlmContext): Engine {
  return {
    async prepare() {
      const { serve, shell, console } = context;
      const facts = await checkHost(context);
      const digests = facts.first("image") ?? (await pullImage(context));
      const devices = { nodes: facts.all("render-node").length > 0, byPath: facts.first("by-path") === "yes" };
      if (!devices.nodes) {
        console.warn(`Host "${shell.host}" has no /dev/dri/renderD*: the server will find no GPU`);
      }
      return async () => {
        await startContainer(context, devices);
        return {
          argv: ipexLlmArgv(serve),
          env: ipexLlmEnv(serve),
          imageDigest: digestOf(serve.image, digests),
          imageTag: tagOf(serve.image),
        };
      };
    },
    observe: (logLines) => observeContainer(context, logLines),
  };
}

async function checkHost({ shell, serve, signal }: IpexLlmContext): Promise<FactLines> {
  const script: Script = {
    name: "check what the server needs",
    text: CHECK_HOST,
    env: { IMAGE: serve.image, MODEL: serve.model, SERVER_PORT: String(serve.port) },
    sudo: true,
  };
  const facts = parseFactLines(
    expectOk(shell.host, script, await shell.run(script, { timeoutMs: 60_000, signal })).stdout,
  );
  requireDocker(shell.host, facts);
  requireModel(shell.host, serve, facts);
  requireFreePort(shell.host, serve, facts);
  return facts;
}

function requireDocker(host: string, facts: FactLines): void {
  if (facts.first("docker") !== null) return;
  const words = facts.first("docker-error");
  throw new AppError("ENGINE_MISSING", {
    message:
      words === null
        ? `Cannot start the ipex-llm engine on host "${host}": there is no docker command, Docker is wanted`
        : `Cannot start the ipex-llm engine on host "${host}": docker does not answer: ${words}`,
    hint:
      words === null
        ? "Install Docker on the host (apt-get install docker.io), or add it to the playbook"
        : "Start the Docker service on the host (systemctl start docker)",
  });
}

async function pullImage({ shell, console, serve, signal }: IpexLlmContext): Promise<string> {
  if (serve.pull === "never") {
    throw new AppError("IMAGE_MISSING", {
      message: `Cannot start image "${serve.image}" on host "${shell.host}": it is not there, and "pull" is "never"`,
      hint: 'Pull the image on the host, or set "serve.pull" to "missing"',
    });
  }
  console.info(`Pulling image ${serve.image} on host "${shell.host}"`);
  const script: Script = { name: "pull the image", text: PULL_IMAGE, env: { IMAGE: serve.image }, sudo: true };
  const result = await shell.run(script, {
    // The serving images are 10 to 20 GB.
    timeoutMs: 3_600_000,
    signal,
    onLine: (line) => console.progress(`Pulling ${serve.image}: ${line}`),
  });
  if (result.ended === "exited" && result.exitCode !== 0) {
    throw new AppError("IMAGE_MISSING", {
      message: `Cannot pull image "${serve.image}" on host "${shell.host}": ${result.stderr.trim()}`,
      hint: "Check the image name and digest, and that the host reaches the registry and may pull from it",
    });
  }
  return parseFactLines(expectOk(shell.host, script, result).stdout).first("image") ?? "[]";
}

async function startContainer(context: IpexLlmContext, devices: HostDevices): Promise<void> {
  const { shell, console, serve, owner, survivesReboot } = context;
  const script: Script = {
    name: `start container ${containerName(serve.port)}`,
    text: START_CONTAINER,
    env: {
      SERVER_PORT: String(serve.port),
      DOCKER_WORDS: wordList(dockerCreateWords(serve, devices)),
      API_KEY: serve.apiKey ?? "",
      OWNER: owner ?? "",
      SURVIVES_REBOOT: survivesReboot === true ? "yes" : "no",
    },
    sudo: true,
  };
  // Never cut in half: a cancelled run must find either no server or one that `stop` can see.
  const result = await shell.run(script, { timeoutMs: 120_000, onDisconnect: "finish" });
  if (result.ended === "exited" && result.exitCode !== 0) {
    const found = diagnoseLog(result.stderr.split("\n"));
    throw new AppError(found?.code ?? "SERVER_EXITED", {
      message: `Cannot start container "${containerName(serve.port)}" on host "${shell.host}": ${result.stderr.trim()}`,
      hint: found?.hint ?? 'Read what docker says above; "serve" and the host\'s devices must fit together',
    });
  }
  const facts = parseFactLines(expectOk(shell.host, script, result).stdout);
  if (facts.first("supervisor") === "docker") {
    console.info(`Host "${shell.host}" does not run systemd: docker keeps the container by itself`);
  }
}

async function observeContainer({ shell, serve }: IpexLlmContext, logLines: number): Promise<Observation> {
  const script: Script = {
    name: `look at container ${containerName(serve.port)}`,
    text: OBSERVE_CONTAINER,
    env: { SERVER_PORT: String(serve.port), LOG_LINES: String(logLines) },
    sudo: true,
  };
  const facts = parseFactLines((await runIdempotent(shell, script, { timeoutMs: 30_000 })).stdout);
  const [status = "gone", exitCode, oomKilled] = (facts.first("state") ?? "").split(" ");
  const unitEnded = ["inactive", "failed"].includes(facts.first("unit") ?? "active");
  // "created" is the moment before docker starts it, or for ever when docker or its unit could not.
  const neverStarted = status === "created" && (unitEnded || facts.first("error") !== "");
  const running = ["running", "restarting", "paused"].includes(status) || (status === "created" && !neverStarted);
  return {
    state: running ? "running" : "exited",
    exitCode: running || status === "gone" ? null : Number(exitCode),
    oomKilled: oomKilled === "true",
    error: facts.first("error") || null,
    log: facts.rest,
  };
}

/** The digest under the image's own repository name; an image that was built on the host has none. */
function digestOf(image: string, json: string): string | null {
  const parsed: unknown = JSON.parse(json);
  const digests = Array.isArray(parsed) ? parsed.filter((entry) => typeof entry === "string") : [];
  const repository = image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  return digests.find((digest) => digest.startsWith(`${repository}@`)) ?? digests[0] ?? null;
}

function tagOf(image: string): string | null {
  return /:([\w.-]+)(?:@|$)/.exec(image.split("/").at(-1) ?? "")?.[1] ?? null;
}

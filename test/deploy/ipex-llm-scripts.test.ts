import { Bash, defineCommand } from "just-bash";
import { beforeEach, describe, expect, it } from "vitest";
import { CHECK_HOST, OBSERVE_CONTAINER, START_CONTAINER, STOP_CONTAINER } from "../../src/deploy/ipex-llm-scripts.ts";
import { STOP_PROCESS } from "../../src/deploy/vllm-scripts.ts";

// The scripts in a bash interpreter, on a host with systemd: docker, systemctl and ss only note how they were called.

let calls: string[];
let hasContainer: boolean;
let bash: Bash;

beforeEach(() => {
  calls = [];
  hasContainer = false;
  bash = new Bash({
    customCommands: [defineCommand("docker", docker), note("systemctl", "active\n"), note("ss", "")],
    files: { "/models/tiny/config.json": "{}", "/dev/dri/renderD128": "", "/run/systemd/system/other.service": "" },
  });
});

async function docker(argv: string[]) {
  calls.push(`docker ${argv.join(" ")}`);
  const [verb] = argv;
  if (verb === "create") hasContainer = true;
  if (verb === "rm") hasContainer = false;
  if (verb === "version") return answer("28.2.2\n");
  if (verb === "image") return { stdout: "\n", stderr: "Error: No such image\n", exitCode: 1 };
  if (verb !== "container") return answer(verb === "logs" ? "INFO loading\n" : "");
  if (!hasContainer) return { stdout: "[]\n", stderr: "Error: No such container\n", exitCode: 1 };
  return answer(argv.some((word) => word.includes("Error")) ? "\n" : "running 0 false\n");
}

const answer = (stdout: string) => ({ stdout, stderr: "", exitCode: 0 });

function note(name: string, stdout: string) {
  return defineCommand(name, async (argv) => {
    calls.push(`${name} ${argv.join(" ")}`);
    return answer(argv[0] === "is-active" ? stdout : "");
  });
}

const ENV = {
  SERVER_PORT: "8000",
  IMAGE: "ipex:1",
  MODEL: "/models/tiny",
  DOCKER_WORDS: "--name\narc-vllm-8000\n--env\nMINE=$(id) `id` 'x' \"y\" %n",
  API_KEY: "hunter2",
  LOG_LINES: "20",
  GRACE_S: "10",
  KEEP_LOG: "no",
  SURVIVES_REBOOT: "no",
  HOME: "/root",
};

async function run(text: string, env: Partial<typeof ENV> = {}): Promise<string> {
  const { stdout, stderr, exitCode } = await bash.exec(text, { env: { ...ENV, ...env } });
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  return stdout;
}

const UNIT = "/run/systemd/system/arc-vllm-8000.service";
const LASTING_UNIT = "/etc/systemd/system/arc-vllm-8000.service";

describe("CHECK_HOST", () => {
  it("reports docker, the cards and the model in one go, and that the image is not there", async () => {
    expect((await run(CHECK_HOST)).trim().split("\n")).toEqual([
      "docker=28.2.2",
      "render-node=/dev/dri/renderD128",
      "model=ok",
    ]);
  });

  it("names the models beside a missing one", async () => {
    expect(await run(CHECK_HOST, { MODEL: "/models/tinny" })).toContain("model=missing\nmodel-near=tiny\n");
  });
});

describe("START_CONTAINER", () => {
  it("creates the container, writes a unit that only starts it, and starts the unit", async () => {
    expect(await run(START_CONTAINER)).toContain("supervisor=systemd");
    expect(calls.map((call) => call.replace(/(create) .*/, "$1"))).toEqual([
      "docker create",
      "systemctl daemon-reload",
      "systemctl start arc-vllm-8000.service",
    ]);
    expect(await bash.readFile(UNIT)).toMatch(/^ExecStart=\S+ start --attach arc-vllm-8000$/m);
  });

  it("leaves the unit of a run to a reboot, and restarts nothing", async () => {
    await run(START_CONTAINER);
    expect(await bash.readFile(UNIT)).toMatch(/^Restart=no$/m);
    expect(await bash.fs.exists(LASTING_UNIT)).toBe(false);
  });

  it("enables a unit that starts the server with the host, and again after a crash, when it has to survive", async () => {
    await run(START_CONTAINER, { SURVIVES_REBOOT: "yes" });
    expect(calls.slice(1)).toEqual([
      "systemctl daemon-reload",
      "systemctl enable --quiet arc-vllm-8000.service",
      "systemctl start arc-vllm-8000.service",
    ]);
    const unit = await bash.readFile(LASTING_UNIT);
    expect(unit).toMatch(/^WantedBy=multi-user.target$/m);
    expect(unit).toMatch(/^Restart=on-failure$/m);
    expect(await bash.fs.exists(UNIT)).toBe(false);
  });

  it("passes every word as it is: nothing is expanded on the way", async () => {
    await run(START_CONTAINER);
    expect(calls).toContain("docker create --name arc-vllm-8000 --env MINE=$(id) `id` 'x' \"y\" %n");
    expect(await bash.readFile(UNIT)).not.toContain("MINE");
  });

  it("keeps the API key out of the unit and of every command", async () => {
    await run(START_CONTAINER);
    expect([...calls, await bash.readFile(UNIT)].join("\n")).not.toContain("hunter2");
    expect(await bash.readFile("/var/lib/arc-vllm/servers/8000/api-key")).toBe("hunter2\n");
  });

  it("writes no key file without a key", async () => {
    await run(START_CONTAINER, { API_KEY: "" });
    expect(await bash.fs.exists("/var/lib/arc-vllm/servers/8000/api-key")).toBe(false);
  });
});

describe("OBSERVE_CONTAINER", () => {
  it("prints the state and then the log", async () => {
    await run(START_CONTAINER);
    expect(await run(OBSERVE_CONTAINER)).toBe("state=running 0 false\nerror=\nunit=active\n--\nINFO loading\n");
  });

  it("says that a container is gone", async () => {
    expect(await run(OBSERVE_CONTAINER)).toMatch(/^state=gone\n/);
  });
});

describe("STOP_CONTAINER", () => {
  it("removes the container, the unit and the files, and can run again", async () => {
    await run(START_CONTAINER);
    expect(await run(STOP_CONTAINER)).toBe("ended=container arc-vllm-8000\nended=unit arc-vllm-8000.service\n");
    expect(await bash.fs.exists(UNIT)).toBe(false);
    expect(await bash.fs.exists("/var/lib/arc-vllm")).toBe(false);
    expect(await bash.fs.exists("/run/systemd/system/other.service")).toBe(true);
    expect(await run(STOP_CONTAINER)).toBe("");
  });

  it("disables and removes the unit of a server that survives reboots", async () => {
    await bash.writeFile("/etc/systemd/system/other.service", "");
    await run(START_CONTAINER, { SURVIVES_REBOOT: "yes" });
    expect(await run(STOP_CONTAINER)).toBe("ended=container arc-vllm-8000\nended=unit arc-vllm-8000.service\n");
    expect(calls).toContain("systemctl disable --quiet arc-vllm-8000.service");
    expect(await bash.fs.exists(LASTING_UNIT)).toBe(false);
  });

  it("gives the server its grace and keeps the log of a failed start when asked to", async () => {
    await run(START_CONTAINER);
    expect(await run(STOP_CONTAINER, { GRACE_S: "2", KEEP_LOG: "yes" })).toContain(
      "log=/var/lib/arc-vllm/servers/8000.log",
    );
    expect(calls).toContain("docker stop -t 2 arc-vllm-8000");
    expect(await bash.readFile("/var/lib/arc-vllm/servers/8000.log")).toBe("INFO loading\n");
  });
});

describe("STOP_PROCESS", () => {
  it("finds out without root whether there is a container to stop", async () => {
    expect(await run(STOP_PROCESS)).toBe("");
    await run(START_CONTAINER);
    expect(await run(STOP_PROCESS)).toBe("container=yes\n");
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/app-error.ts";
import type { ScriptResult } from "../../src/core/script.ts";
import type { Shell } from "../../src/ports/shell.ts";
import { provisionHost } from "../../src/provision/provision-host.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { smallPlaybook } from "../fakes/shipped-playbook.ts";
import { type StubHost, stubHost } from "../fakes/stub-host.ts";

const hosts: StubHost[] = [];
afterEach(() => {
  for (const host of hosts.splice(0)) host.remove();
});

interface Accident {
  /** How the client sees the application of "k"; null: as it was. */
  readonly seen: Partial<ScriptResult> | null;
  /** False: the script never gets to the host. */
  readonly reaches: boolean;
  /** How often reconnecting fails after that. */
  readonly unreachable?: number;
}

/** A host on which the connection breaks while a step runs there. */
function accidentShell(host: StubHost, { seen, reaches, unreachable = 0 }: Accident): Shell {
  let left = unreachable;
  let happened = false;
  const { shell } = host;
  return {
    ...shell,
    host: shell.host,
    async run(script, options) {
      if (script.name !== 'apply "k"' || happened || seen === null) return shell.run(script, options);
      happened = true;
      const real = reaches ? await shell.run(script, options) : { signal: null, stdout: "", stderr: "", durationMs: 1 };
      return { ...real, ended: "exited", exitCode: null, stdout: "", ...seen } as ScriptResult;
    },
    async reconnect() {
      if (left-- > 0) throw new AppError("HOST_UNREACHABLE", { message: "no route", hint: "wait" });
      await shell.reconnect();
    },
  };
}

const lost = { ended: "connection-lost", exitCode: null } as const;
const apt = "  - name: k\n    apt: { packages: [gawk] }\n";

async function provision(accident: Accident, steps = apt) {
  const host = stubHost();
  hosts.push(host);
  const context = {
    shell: accidentShell(host, accident),
    clock: new FakeClock(),
    console: fakeConsole(),
    root: host.root,
  };
  const result = await provisionHost({ ...context, playbook: smallPlaybook(steps) }).then(
    (record) => ({ record, error: null }),
    (error: unknown) => ({ record: null, error }),
  );
  return { ...result, host };
}

describe("reattach()", () => {
  it("waits for a step that the host finished without us", async () => {
    const { record, host } = await provision({ seen: lost, reaches: true, unreachable: 3 });
    expect(record?.steps.map(({ status }) => status)).toEqual(["changed"]);
    expect(host.commands().filter((line) => / install gawk$/.test(line) && !line.includes(" -s "))).toHaveLength(1);
  });

  it("reports what the step printed when it failed without us", async () => {
    const steps = "  - name: k\n    shell: { check: 'false', apply: 'echo no luck; exit 3', on_disconnect: finish }\n";
    const { error } = await provision({ seen: lost, reaches: true }, steps);
    expect(error).toMatchObject({ code: "STEP_FAILED", message: expect.stringContaining("no luck") });
  });

  it("says that the connection broke when the step never began", async () => {
    const { error, host } = await provision({ seen: lost, reaches: false });
    expect(error).toMatchObject({ code: "HOST_CONNECTION_LOST" });
    expect(host.read("state/installed")).not.toContain("gawk");
  });

  it("gives up when the host does not come back in the time that the step has", async () => {
    const { error } = await provision({ seen: lost, reaches: true, unreachable: 1000 });
    expect(error).toMatchObject({ code: "HOST_CONNECTION_LOST" });
  });

  it("does not wait for a step that ends with its connection", async () => {
    const { error } = await provision(
      { seen: lost, reaches: true },
      "  - name: k\n    file: { path: /etc/x, content: a }\n",
    );
    expect(error).toMatchObject({ code: "HOST_CONNECTION_LOST" });
  });
});

describe("awaitUnfinished()", () => {
  const step = (root: StubHost, run: string, files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) root.write(`var/lib/arc-vllm/runs/${run}/step-0/${name}`, text);
  };

  it("waits while a step of an earlier run is at work, and looks at the host again", async () => {
    const host = stubHost();
    hosts.push(host);
    step(host, "alive", { pid: `${process.pid} boot-0\n` });
    const clock = new FakeClock();
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms, signal) => {
      // The earlier run gets done, and did our work as well.
      step(host, "alive", { rc: "0\n" });
      host.write("etc/x", "a");
      await sleep(ms, signal);
    };
    const playbook = smallPlaybook("  - name: f\n    file: { path: /etc/x, content: a }\n");
    const record = await provisionHost({ shell: host.shell, clock, console: fakeConsole(), root: host.root, playbook });
    expect(clock.sleeps).toHaveLength(1);
    expect(record.steps.map(({ status }) => status)).toEqual(["ok"]);
  });

  it("does not wait for steps that ended, died, or ran before the last boot", async () => {
    const host = stubHost();
    hosts.push(host);
    step(host, "ended", { pid: `${process.pid} boot-0\n`, rc: "0\n" });
    step(host, "died", { pid: "999999999 boot-0\n" });
    step(host, "before", { pid: `${process.pid} boot-of-yesterday\n` });
    const clock = new FakeClock();
    const playbook = smallPlaybook("  - name: f\n    file: { path: /etc/x, content: a }\n");
    await provisionHost({ shell: host.shell, clock, console: fakeConsole(), root: host.root, playbook });
    expect(clock.sleeps).toEqual([]);
  });
});

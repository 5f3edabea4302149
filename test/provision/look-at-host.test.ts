import { afterEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/core/app-error.ts";
import type { Playbook } from "../../src/playbook/playbook.ts";
import { probeHost } from "../../src/probe/probe-host.ts";
import { checkHost } from "../../src/provision/check-host.ts";
import { lookAtHost } from "../../src/provision/look-at-host.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import type { FakeHandler } from "../fakes/fake-shell.ts";
import { shippedPlaybook, smallPlaybook } from "../fakes/shipped-playbook.ts";
import { type StubHost, stubHost } from "../fakes/stub-host.ts";

const hosts: StubHost[] = [];
afterEach(() => {
  for (const host of hosts.splice(0)) host.remove();
});

function newHost(before?: FakeHandler): StubHost {
  const host = stubHost(before);
  hosts.push(host);
  return host;
}

const look = ({ shell, root }: StubHost, playbook: Playbook) =>
  lookAtHost({ shell, clock: new FakeClock(), playbook, root });

const NOTE = "  - name: note\n    shell: { check: 'echo asked >> $ARC_ROOT/asked; exit 1', apply: 'true' }\n";

describe("lookAtHost()", () => {
  it("sees what a probe and a check see, with one script", async () => {
    const host = newHost();
    const playbook = shippedPlaybook("ubuntu-22.04-a770.yml");
    const seen = await look(host, playbook);
    expect(host.shell.ran).toHaveLength(1);
    const facts = await probeHost(host.shell, new FakeClock(), { root: host.root });
    expect(seen.facts).toEqual(facts);
    const plan = await checkHost({ shell: host.shell, playbook, facts, root: host.root });
    expect(seen.plan).toEqual(plan);
  });

  it("runs no bash of a playbook that is for another system", async () => {
    const host = newHost();
    const { facts, plan } = await look(host, smallPlaybook(NOTE, "hosts: { os: ubuntu, release: '24.04' }\n"));
    expect(facts.os?.versionId).toBe("22.04");
    expect(plan.steps.map(({ name, status }) => [name, status])).toEqual([
      ["Host is ubuntu 24.04", "failed"],
      ["note", "blocked"],
    ]);
    expect(() => host.read("asked")).toThrow("ENOENT");
    expect(host.shell.ran).toHaveLength(1);
  });

  it.each(["hosts: { os: ubuntu, release: ['20.04', '22.04'] }\n", "hosts: { os: ubuntu }\n", ""])(
    "runs it when the playbook is for the host: %s",
    async (head) => {
      const host = newHost();
      await look(host, smallPlaybook(NOTE, head));
      expect(host.read("asked")).toBe("asked\n");
    },
  );

  it("asks again only when a check has to be run for each card", async () => {
    const host = newHost();
    const each = "  - name: card\n    assert: { check: 'arc_evidence $GPU_BDF', each: intel-gpus }\n";
    const { plan } = await look(host, smallPlaybook(each));
    expect(plan.steps.map(({ evidence }) => evidence)).toEqual(["0000:03:00.0", "0000:07:00.0"]);
    expect(host.shell.ran).toHaveLength(2);
  });

  it("sees as much as it can when sudo is refused", async () => {
    const refusal = new AppError("HOST_NO_SUDO", { message: "Cannot become root", hint: "Allow it" });
    const host = newHost(({ sudo }) => {
      if (sudo) throw refusal;
      return {};
    });
    const { plan } = await look(host, smallPlaybook(NOTE));
    expect(plan.steps.map(({ status }) => status)).toEqual(["would-change"]);
    expect(host.shell.ran.map(({ sudo }) => sudo)).toEqual([true, false]);
  });

  it("fails when the connection is lost", async () => {
    const host = newHost(() => ({ exitCode: null }));
    await expect(look(host, smallPlaybook(NOTE))).rejects.toMatchObject({ code: "HOST_CONNECTION_LOST" });
  });
});

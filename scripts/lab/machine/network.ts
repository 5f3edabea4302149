import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { $ } from "zx";

/** The network of one machine: a namespace of its own with a tap, and a relay from loopback into it. */
export interface LabNetwork {
  readonly namespace: string;
  /** Returns a port on 127.0.0.1 that leads to a port of the guest; any free one unless given. */
  forward(guestPort: number, port?: number): Promise<number>;
  /** Pulls the cable: packets stop both ways, no connection is closed. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const TAP = "tap0";
const GUEST = "10.77.0.2";

export async function createNetwork(namespace: string): Promise<LabNetwork> {
  const inside = ["ip", "netns", "exec", namespace];
  await $`ip netns add ${namespace}`;
  await $`${inside} ip tuntap add dev ${TAP} mode tap`;
  await $`${inside} ip addr add 10.77.0.1/24 dev ${TAP}`;
  await $`${inside} ip link set ${TAP} up`;
  const relay = spawn("ip", ["netns", "exec", namespace, process.execPath, join(import.meta.dirname, "relay.mjs")], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {},
  });
  return {
    namespace,
    forward: (guestPort, port = 0) => forward(relay, guestPort, port),
    // A blackhole route drops both ways: the source of what still comes in fails the route check. (User-mode Linux does
    // not recover from a tap that goes down.)
    cut: async () => void (await $`${inside} ip route add blackhole ${GUEST}/32`),
    restore: async () => void (await $`${inside} ip route del blackhole ${GUEST}/32`),
    async [Symbol.asyncDispose]() {
      relay.kill();
      if (relay.exitCode === null && relay.signalCode === null) await once(relay, "exit");
      await $`ip netns delete ${namespace}`;
    },
  };
}

/** The listening socket is made here and handed to the relay, which lives in the other namespace. */
async function forward(relay: ChildProcess, guestPort: number, wantedPort: number): Promise<number> {
  const server = createServer();
  server.listen(wantedPort, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  relay.send({ guest: GUEST, guestPort }, server);
  const [answer] = (await once(relay, "message")) as [{ listening: number }];
  if (answer.listening !== guestPort) throw new Error(`Cannot forward to port ${guestPort} of the lab host`);
  server.close();
  return port;
}

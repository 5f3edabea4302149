import type { IncomingMessage } from "node:http";
import { type LocalTruthServer, startTruthServer } from "../../src/truth/truth-server.ts";

export interface FaultServer extends LocalTruthServer {
  /** Bodies and headers of the requests for a stream, in order of arrival. */
  readonly bodies: Readonly<Record<string, unknown>>[];
  readonly headers: IncomingMessage["headers"][];
}

/** The product's truth server in this very process, with everything that it was asked. */
export async function startFaultServer(): Promise<FaultServer> {
  const bodies: FaultServer["bodies"] = [];
  const headers: FaultServer["headers"] = [];
  const server = await startTruthServer({
    onRequest: (body, sent) => {
      bodies.push(body);
      headers.push(sent);
    },
  });
  return { ...server, bodies, headers };
}

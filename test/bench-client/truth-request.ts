import type { Claim } from "../../bench/client/claim.ts";
import type { TruthRequest } from "../../bench/client/truth-log.ts";

/** A request that the server answered as planned: first token 200 ms after its first byte, then one every 10 ms. */
export function truthRequest(changes: Partial<TruthRequest> = {}): TruthRequest {
  const firstByteNs = changes.firstByteNs ?? 1_000_000_000;
  const writeNs = changes.writeNs ?? [200, 210, 220, 230].map((ms) => firstByteNs + ms * 1e6);
  return {
    stream: 7,
    connection: 0,
    model: "m",
    rid: "",
    acceptNs: firstByteNs,
    firstByteNs,
    lastByteNs: firstByteNs,
    headersNs: firstByteNs,
    endNs: (writeNs.at(-1) ?? firstByteNs) + 1000,
    promptTokens: 8,
    askedTokens: 4,
    sentTokens: writeNs.length,
    ending: "complete",
    faulty: false,
    streamed: true,
    usageSent: true,
    blockedWrites: 0,
    writeNs,
    lateNs: writeNs.map(() => 0),
    tokens: writeNs.map(() => 1),
    ...changes,
  };
}

/** What a client without any error says about `truthRequest()`. */
export function exactClaim(changes: Partial<Claim> = {}): Claim {
  return {
    stream: 7,
    scheduledNs: null,
    startNs: 1_000_000_000,
    ttftMs: 200,
    tpotMs: 10,
    e2eMs: 230,
    gapsMs: [10, 10, 10],
    tokens: 4,
    ok: true,
    detail: "",
    ...changes,
  };
}

import { readFile } from "node:fs/promises";
import { type Claim, streamOfId } from "../claim.ts";

interface SavedRequest {
  readonly id: string | null;
  readonly scheduledNs: number;
  readonly sentNs: number;
  readonly firstNs: number | null;
  readonly lastNs: number | null;
  readonly tokens: number | null;
  readonly outcome: string;
  readonly detail?: string | null;
  readonly chunkNs: readonly number[];
}

/** Reads the JSON lines of `arc-vllm bench --save-requests`, which the sink client writes too. */
export async function readSavedRequests(path: string): Promise<readonly Claim[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => claimOf(JSON.parse(line) as SavedRequest));
}

function claimOf(saved: SavedRequest): Claim {
  const { sentNs, firstNs, lastNs, tokens, chunkNs } = saved;
  const hasTokens = firstNs !== null && lastNs !== null && chunkNs.length > 0;
  return {
    stream: streamOfId(saved.id),
    scheduledNs: saved.scheduledNs,
    startNs: sentNs,
    ttftMs: hasTokens ? (firstNs - sentNs) / 1e6 : null,
    tpotMs: hasTokens && tokens !== null && tokens > 1 ? (lastNs - firstNs) / 1e6 / (tokens - 1) : null,
    e2eMs: hasTokens ? (lastNs - sentNs) / 1e6 : null,
    gapsMs: chunkNs.slice(1).map((at, index) => (at - chunkNs[index]!) / 1e6),
    tokens,
    ok: saved.outcome === "ok",
    detail: saved.outcome === "ok" ? "" : `${saved.outcome}: ${saved.detail ?? ""}`,
  };
}

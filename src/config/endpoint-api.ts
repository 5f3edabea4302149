import type { Endpoint, Workload } from "./run-config.ts";

/** Where Open WebUI takes chats. It serves nothing under /v1, and passes on what it knows: not `ignore_eos`. */
export const OPEN_WEBUI_CHAT = "/api/chat/completions" satisfies Endpoint;

export const ENDPOINTS = [
  "/v1/completions",
  "/v1/chat/completions",
  OPEN_WEBUI_CHAT,
] as const satisfies readonly Endpoint[];

/** Whose paths a server has. */
export type EndpointApi = "openai" | "open-webui";

/** The API that workloads ask for; a configuration never mixes them. */
export function apiOf(workloads: readonly Pick<Workload, "endpoint">[]): EndpointApi {
  return workloads.some(({ endpoint }) => endpoint === OPEN_WEBUI_CHAT) ? "open-webui" : "openai";
}

import { describe, expect, it } from "vitest";
import { checkFirstAnswer } from "../../src/bench/check-endpoint.ts";
import type { RequestTrace } from "../../src/measure/load-point.ts";
import { requestTrace } from "../fakes/request-trace.ts";

const WEB_UI = "http://chat:3000/api/chat/completions";
const VLLM = "http://gpu:8000/v1/chat/completions";

function refused(httpStatus: number, words: string): RequestTrace {
  const outcome = httpStatus >= 500 ? "http_5xx" : "http_4xx";
  return requestTrace({ outcome, httpStatus, detail: `HTTP ${httpStatus}: ${words}`, firstMs: null });
}

describe("checkFirstAnswer()", () => {
  // Words of Open WebUI 0.12.4.
  it.each([
    {
      name: "no key",
      trace: refused(401, "Not authenticated"),
      code: "ENDPOINT_UNAUTHORIZED",
      hint: "Settings > Account",
    },
    {
      name: "keys not allowed",
      trace: refused(403, "Use of API key is not enabled"),
      code: "ENDPOINT_UNAUTHORIZED",
      hint: "an administrator has to allow",
    },
    { name: "an unknown model", trace: refused(400, "Model not found"), code: "MODEL_NOT_FOUND", hint: "/api/models" },
    {
      name: "a dead backend",
      trace: refused(500, "Open WebUI: Server Connection Error"),
      code: "ENDPOINT_UNREACHABLE",
      hint: "behind Open WebUI",
    },
  ])("says what to do in Open WebUI about $name", ({ trace, code, hint }) => {
    expect(() => checkFirstAnswer(trace, WEB_UI, "m")).toThrow(
      expect.objectContaining({ code, hint: expect.stringContaining(hint) }),
    );
  });

  it("speaks of vLLM's own list and key at a vLLM", () => {
    expect(() => checkFirstAnswer(refused(404, "The model `m` does not exist."), VLLM, "m")).toThrow(
      expect.objectContaining({ code: "MODEL_NOT_FOUND", hint: "Use one of the names that GET /v1/models lists" }),
    );
    expect(() => checkFirstAnswer(refused(401, "Unauthorized"), VLLM, "m")).toThrow(
      expect.objectContaining({ code: "ENDPOINT_UNAUTHORIZED", hint: expect.stringContaining("--api-key-env") }),
    );
  });

  it("names the flag for a certificate that is not trusted, and none that would trust any", () => {
    const trace = requestTrace({ outcome: "tls", detail: "self-signed certificate", firstMs: null });
    expect(() => checkFirstAnswer(trace, VLLM, "m")).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/--ca-file \(serve\.ca-file\)/) }),
    );
  });

  it("leaves a fault that the next request may not meet to the measurement", () => {
    expect(() => checkFirstAnswer(refused(503, "busy"), VLLM, "m")).not.toThrow();
    expect(() => checkFirstAnswer(requestTrace(), VLLM, "m")).not.toThrow();
  });
});

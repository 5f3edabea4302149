// Stands in for the `vllm` command: serves the few paths that a deployment asks, with a child like vLLM's engine
// process. STAND_IN says how it behaves; STAND_IN_PIDS is a file that gets the numbers of all its processes.
import { spawn } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

const string = { type: "string" };
const options = { "served-model-name": string, host: string, port: string };
const { values } = parseArgs({ args: process.argv.slice(3), options, strict: false });
const mode = process.env.STAND_IN ?? "serve";
const note = (pid) => appendFileSync(process.env.STAND_IN_PIDS, `${pid}\n`);
const later = "setInterval(() => {}, 1000)";

note(process.pid);
console.log(`stand-in starts as ${process.argv.slice(2).join(" ")}`);
console.log(`environment ${JSON.stringify(process.env)}`);

if (mode === "crash") {
  for (let line = 1; line <= 30; line += 1) console.error(`traceback line ${line}`);
  process.exit(3);
}
if (mode === "killed") process.kill(process.pid, "SIGKILL");
if (mode === "out-of-memory") {
  console.error("RuntimeError: level_zero backend failed with error: 39 (UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY)");
  process.exit(1);
}

// A stubborn engine process ignores TERM, as one that hangs in a GPU driver does.
const ignoreTerm = mode === "stubborn" ? 'process.on("SIGTERM", () => {});' : "";
const engine = spawn(process.execPath, ["-e", `${ignoreTerm} ${later}`], { stdio: "ignore" });
note(engine.pid);
// A worker that left the group, as ray's do.
const worker = spawn(process.execPath, ["-e", later], { stdio: "ignore", detached: true });
note(worker.pid);
worker.unref();

if (mode === "headless") process.kill(process.pid, "SIGKILL");

const json = (response, body, status = 200) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
};
const key = process.env.VLLM_API_KEY;
const name = values["served-model-name"];
const server = createServer((request, response) => {
  const path = request.url;
  if (path.startsWith("/v1") && key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
    return json(response, { error: "Unauthorized" }, 401);
  }
  if (path === "/health") return json(response, {});
  if (path === "/version") return json(response, { version: "0.32.0" });
  if (path === "/v1/models") return json(response, { object: "list", data: [{ id: name, max_model_len: 4096 }] });
  if (path === "/v1/endless") {
    // A stream that never ends: vLLM then waits for the client even after TERM.
    response.writeHead(200, { "content-type": "text/event-stream" });
    return response.write("data: {}\n\n");
  }
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    const body = text === "" ? {} : JSON.parse(text);
    if (body.stream === true) stream(response, body);
    else json(response, { choices: [{ text: " the" }], usage: { completion_tokens: 1 } });
  });
});

/** One chunk every few ms (a file says how many) from a fixed start, so that delays do not add up; then usage, the end. */
function stream(response, { max_tokens: tokens, prompt }) {
  const gapMs = Number(readFileSync(process.env.STAND_IN_ITL_FILE, "utf8"));
  const startMs = performance.now() + 20;
  const usage = { prompt_tokens: prompt?.length ?? 1, completion_tokens: tokens, total_tokens: tokens + 1 };
  const event = (data) => response.write(`data: ${JSON.stringify({ id: "cmpl-1", model: name, ...data })}\n\n`);
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (index) => {
    if (response.destroyed) return;
    if (index === tokens) {
      event({ choices: [], usage });
      return response.end("data: [DONE]\n\n");
    }
    event({ choices: [{ index: 0, text: ` w${index}`, finish_reason: index === tokens - 1 ? "length" : null }] });
    setTimeout(send, startMs + (index + 1) * gapMs - performance.now(), index + 1);
  };
  setTimeout(send, 20, 0);
}

process.on("SIGTERM", () => server.close(() => process.exit(0)));
if (mode === "silent") setInterval(() => console.log("still loading"), 200);
else server.listen(Number(values.port), values.host, () => console.log("Application startup complete."));

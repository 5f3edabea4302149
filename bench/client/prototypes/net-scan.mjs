import { writeFileSync } from "node:fs";
import net from "node:net";

/**
 * node:net without one allocation per event: bytes are looked at where they were read, stamps go into one array that is
 * there from the start, connections are made before the first request. What is left is Node itself.
 */
const { port, model, streams, requests, tokens, out } = JSON.parse(process.argv[2]);
const body = JSON.stringify({
  model,
  messages: [{ role: "user", content: "w1 w2 w3 w4 w5 w6 w7 w8" }],
  max_tokens: tokens,
  stream: true,
  stream_options: { include_usage: true },
});
const wire = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const shared = Buffer.allocUnsafeSlow(64 * 1024);
const width = tokens + 8;
const at = new Float64Array(requests * width);
const counts = new Int32Array(requests);
const sent = new Float64Array(requests);
const ended = new Float64Array(requests);
const ids = new Array(requests).fill("");
const originNs = Math.max(
  ...Array.from({ length: 100 }, () => Number(process.hrtime.bigint()) - performance.now() * 1e6),
);
let started = 0;
let done = 0;

/** A counted event has `"finish_reason"` in it: the comma before it and the f and the r tell it from all else here. */
function countIn(length, request, now) {
  for (let index = 0; index < length - 15; index += 1) {
    if (shared[index] !== 34 || shared[index + 1] !== 102 || shared[index + 8] !== 114 || shared[index + 14] !== 34)
      continue;
    at[request * width + counts[request]] = now;
    counts[request] += 1;
    index += 15;
  }
}

function onRead(connection, length) {
  const now = performance.now();
  const { request } = connection;
  if (counts[request] === 0) {
    const from = shared.indexOf('"id":"', 0, "latin1");
    if (from !== -1 && from < length) ids[request] = shared.latin1Slice(from + 6, shared.indexOf(34, from + 6));
  }
  countIn(length, request, now);
  if (shared[length - 5] !== 48 || shared[length - 7] !== 13 || shared[length - 1] !== 10 || shared[length - 3] !== 10)
    return;
  ended[request] = now;
  done += 1;
  if (started < requests) send(connection);
  else if (done === requests) finish();
}

function send(connection) {
  connection.request = started;
  started += 1;
  sent[connection.request] = performance.now();
  connection.socket.write(wire, "latin1");
}

function open() {
  const connection = { request: 0, socket: null };
  const callback = (length) => {
    onRead(connection, length);
    return true;
  };
  connection.socket = net.connect({ host: "127.0.0.1", port, noDelay: true, onread: { buffer: shared, callback } });
  return new Promise((resolve) => connection.socket.once("connect", () => resolve(connection)));
}

function finish() {
  const ns = (ms) => Math.round(ms * 1e6 + originNs);
  const lines = Array.from({ length: requests }, (_, request) => {
    const chunkNs = Array.from(at.subarray(request * width, request * width + counts[request]), ns);
    return JSON.stringify({
      id: ids[request],
      scheduledNs: ns(sent[request]),
      sentNs: ns(sent[request]),
      firstNs: chunkNs[0] ?? null,
      lastNs: chunkNs.at(-1) ?? null,
      endNs: ns(ended[request]),
      tokens: counts[request],
      outcome: "ok",
      chunkNs,
    });
  });
  writeFileSync(out, `${lines.join("\n")}\n`);
  process.exit(0);
}

const connections = await Promise.all(Array.from({ length: Math.min(streams, requests) }, open));
for (const connection of connections) send(connection);

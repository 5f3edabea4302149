import { writeFileSync } from "node:fs";

/**
 * A closed loop with the least that measuring needs: a stamp per read, a search for the mark of a counted event, numbers
 * in arrays. `start(body, onBytes, onEnd)` is what the prototypes differ in; bytes come with HTTP's framing or without.
 */
export async function runLoad(makeTransport) {
  const { port, model, streams, requests, tokens, out } = JSON.parse(process.argv[2]);
  const body = JSON.stringify({
    model,
    messages: [{ role: "user", content: "w1 w2 w3 w4 w5 w6 w7 w8" }],
    max_tokens: tokens,
    stream: true,
    stream_options: { include_usage: true },
  });
  const start = makeTransport({ host: "127.0.0.1", port, path: "/v1/chat/completions", streams });
  const done = [];
  let started = 0;
  await new Promise((resolve) => {
    function next() {
      if (started === requests) return done.length === requests ? resolve() : undefined;
      started += 1;
      const request = { id: "", sent: performance.now(), end: 0, count: 0, at: new Float64Array(tokens + 8) };
      start(
        body,
        (bytes) => {
          const now = performance.now();
          if (request.count === 0) request.id = idIn(bytes);
          for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + MARK.length)) {
            request.at[request.count] = now;
            request.count += 1;
          }
        },
        () => {
          request.end = performance.now();
          done.push(request);
          next();
        },
      );
    }
    for (let stream = 0; stream < streams && stream < requests; stream += 1) next();
  });
  writeFileSync(out, done.map(line).join(""));
  process.exit(0);
}

const MARK = Buffer.from('"finish_reason"');
const ID = Buffer.from('"id":"');
/** performance.now() counts from the start of the process; hrtime is CLOCK_MONOTONIC. */
const originNs = Math.max(
  ...Array.from({ length: 100 }, () => Number(process.hrtime.bigint()) - performance.now() * 1e6),
);

function idIn(bytes) {
  const at = bytes.indexOf(ID);
  return at === -1 ? "" : bytes.latin1Slice(at + ID.length, bytes.indexOf(34, at + ID.length));
}

function line({ id, sent, end, count, at }) {
  const ns = (ms) => Math.round(ms * 1e6 + originNs);
  const chunkNs = Array.from(at.subarray(0, count), ns);
  return `${JSON.stringify({
    id,
    scheduledNs: ns(sent),
    sentNs: ns(sent),
    firstNs: chunkNs[0] ?? null,
    lastNs: chunkNs.at(-1) ?? null,
    endNs: ns(end),
    tokens: count,
    outcome: "ok",
    chunkNs,
  })}\n`;
}

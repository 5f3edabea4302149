/**
 * What one event costs once its bytes are in memory: `node --expose-gc --import tsx bench/client/prototypes/parse-cost.ts`.
 * CPU time and allocated bytes per event of the reading layers, each with everything below it.
 */

import { systemClock } from "../../../src/adapters/system-clock.ts";
import { httpResponseReader } from "../../../src/adapters-http/http-response-reader.ts";
import { answerReader } from "../../../src/stream/answer-reader.ts";
import { sseParser } from "../../../src/stream/sse-parser.ts";

const EVENTS = 400_000;
const PER_ANSWER = 128;
const head = Buffer.from("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
const data =
  'data: {"id":"chatcmpl-12-3-4279812452993","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":" w123"},"logprobs":null,"finish_reason":null}]}\n\n';
const event = Buffer.from(data);
const wire = Buffer.from(`${event.length.toString(16)}\r\n${data}\r\n`);
const json = data.slice(6, -2);
let sum = 0;
/** So that nothing is optimized away. */
const use = (value: number): void => {
  sum += value;
};

const LAYERS: Record<string, () => (bytes: Buffer) => void> = {
  "clock: hrtime.bigint": () => () => use(systemClock.nowMs()),
  "clock: performance.now": () => () => use(performance.now()),
  "shared.subarray": () => (bytes) => use(bytes.subarray(0, bytes.length - 1).length),
  "JSON.parse alone": () => () => use(JSON.parse(json).created),
  "HTTP framing": () => {
    const reader = httpResponseReader({ onHead() {}, onBody: (_, start, end) => use(end - start), onEnd() {} });
    reader.push(head);
    return (bytes) => reader.push(bytes);
  },
  "SSE parser": () => {
    const parser = sseParser((_, start, end) => use(end - start));
    return () => parser.push(event);
  },
  "answer reader (SSE, JSON, counting)": () => {
    const reader = answerReader();
    return () => reader.push(event, 0, event.length, 1);
  },
  "whole: HTTP + clock + answer": () => {
    const answer = answerReader();
    let atMs = 0;
    const reader = httpResponseReader({
      onHead() {},
      onBody: (bytes, start, end) => answer.push(bytes, start, end, atMs),
      onEnd() {},
    });
    reader.push(head);
    return (bytes) => {
      atMs = systemClock.nowMs();
      reader.push(bytes);
    };
  },
};

console.log("| layer | us/event | allocated bytes/event |\n|---|---|---|");
for (const [name, make] of Object.entries(LAYERS)) {
  run(make, 50_000);
  globalThis.gc?.();
  const { us, bytes } = run(make, EVENTS);
  console.log(`| ${name} | ${us.toFixed(2)} | ${bytes.toFixed(0)} |`);
}
if (sum === 0) throw new Error("nothing was read");

function run(make: () => (bytes: Buffer) => void, events: number): { us: number; bytes: number } {
  let allocated = 0;
  let before = process.memoryUsage().heapUsed;
  const cpu = process.cpuUsage();
  for (let done = 0; done < events; done += PER_ANSWER) {
    const push = make();
    for (let at = 0; at < PER_ANSWER; at += 1) push(wire);
    const now = process.memoryUsage().heapUsed;
    // A collection in between makes the heap smaller: that step is left out.
    if (now > before) allocated += (now - before) / PER_ANSWER;
    before = now;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { us: (user + system) / events, bytes: allocated / (events / PER_ANSWER) };
}

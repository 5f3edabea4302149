import { chunkText, type TokenChunk, tokenChunks, usageText } from "./answer-chunks.ts";
import { begin, type Exchange, frame, nowMs, pause, write, writePieces, writeTokens } from "./exchange.ts";

/** What makes an answer unusual; absent: as vLLM sends it. */
export interface StreamShape {
  /** The head has been sent. */
  readonly begun?: boolean;
  readonly frame?: (text: string) => string;
  readonly eventsPerWrite?: number;
  readonly pieceBytes?: number;
  readonly finish?: string | null;
  readonly usage?: "last" | "each" | "none";
  readonly done?: boolean;
}

/** Streams a whole answer at the pace of the exchange. */
export async function streamAnswer(
  exchange: Exchange,
  chunks: readonly TokenChunk[],
  shape: StreamShape = {},
): Promise<void> {
  const { asked, response } = exchange;
  const frameOf = shape.frame ?? frame;
  if (shape.begun !== true) begin(exchange);
  await untilFirstToken(exchange);
  const tokens = await streamChunks(exchange, chunks, shape);
  const end = [
    ...(shape.usage !== "none" && asked.wantsUsage ? [usageText(asked, tokens)] : []),
    ...(shape.done === false ? [] : ["[DONE]"]),
  ];
  for (const text of end) {
    if (shape.pieceBytes === undefined) write(exchange, frameOf(text));
    else await writePieces(exchange, frameOf(text), shape.pieceBytes);
  }
  response.end();
}

/** The first tokens of an answer that then goes wrong. */
export async function streamSome(exchange: Exchange, count: number): Promise<void> {
  begin(exchange);
  await untilFirstToken(exchange);
  for (const { delta, tokens } of tokenChunks(exchange.asked).slice(0, count)) {
    writeTokens(exchange, frame(chunkText(exchange.asked, delta)), { tokens, events: 1 });
    await pause(exchange.pace.itlMs);
  }
}

/** Writes the chunks on a schedule that a late one does not move. Returns how many tokens they hold. */
async function streamChunks(exchange: Exchange, chunks: readonly TokenChunk[], shape: StreamShape): Promise<number> {
  const { asked, pace } = exchange;
  const { frame: frameOf = frame, eventsPerWrite = 1, finish = "length", pieceBytes } = shape;
  const firstMs = nowMs();
  let sent = 0;
  let text = "";
  let held = { tokens: 0, events: 0 };
  for (const [at, { delta, tokens }] of chunks.entries()) {
    const isLast = at === chunks.length - 1;
    held = { tokens: held.tokens + tokens, events: held.events + 1 };
    const usage = shape.usage === "each" ? sent + held.tokens : null;
    text += frameOf(chunkText(asked, delta, isLast ? finish : null, usage));
    if (!isLast && held.events < eventsPerWrite) continue;
    if (pieceBytes === undefined) writeTokens(exchange, text, held);
    else await writePieces(exchange, text, pieceBytes, held);
    sent += held.tokens;
    text = "";
    held = { tokens: 0, events: 0 };
    const leftMs = firstMs + (at + 1) * pace.itlMs - nowMs();
    if (!isLast && leftMs > 0) await pause(leftMs);
  }
  return sent;
}

function untilFirstToken({ pace, delayMs, log }: Exchange): Promise<void> {
  return pause(Math.max(0, log.receivedMs + pace.ttftMs + delayMs - nowMs()));
}

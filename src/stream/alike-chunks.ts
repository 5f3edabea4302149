import { type ChunkTemplate, chunkTemplate } from "./chunk-template.ts";
import type { OpenAiChunk } from "./openai-chunk.ts";

/** The template that the next answer begins with. */
export interface ChunkShape {
  template: ChunkTemplate | null;
}

/** Chunks that never fit a template (usage in each of them) are not worth making one every time. */
const TEMPLATES = 8;

/** The template that the chunks of an answer are compared with, learned from this answer or from one before. */
export function alikeChunks(shape: ChunkShape) {
  let { template } = shape;
  let made = 0;
  return {
    /** What the chunk in this range carries; undefined: it is not like the ones before. */
    match(bytes: Uint8Array, start: number, end: number): OpenAiChunk["carries"] | undefined {
      return template?.match(bytes, start, end);
    },
    learn(bytes: Buffer, start: number, end: number): void {
      if (made === TEMPLATES || template?.match(bytes, start, end) !== undefined) return;
      template = chunkTemplate(bytes.toString("latin1", start, end));
      shape.template = template ?? shape.template;
      made += 1;
    },
    reset(): void {
      template = shape.template;
      made = 0;
    },
  };
}

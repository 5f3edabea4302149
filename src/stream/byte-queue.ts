/** Bytes that wait for their end. */
export interface ByteQueue {
  append(bytes: Buffer): void;
  /** Everything that was appended, as memory the queue no longer touches; the queue is empty afterwards. */
  take(): Buffer;
  clear(): void;
  readonly length: number;
}

/** A queue that copies what it is given and grows by doubling, so that many small pieces cost linear time. */
export function byteQueue(): ByteQueue {
  let storage = Buffer.alloc(0);
  let length = 0;

  return {
    append(bytes) {
      const needed = length + bytes.length;
      if (needed > storage.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(needed, storage.length * 2, 512));
        storage.copy(larger, 0, 0, length);
        storage = larger;
      }
      bytes.copy(storage, length);
      length = needed;
    },
    take() {
      const taken = storage.subarray(0, length);
      storage = Buffer.alloc(0);
      length = 0;
      return taken;
    },
    clear() {
      length = 0;
    },
    get length() {
      return length;
    },
  };
}

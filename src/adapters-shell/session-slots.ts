import type { ScriptProcess } from "./run-script.ts";

export interface SessionSlots {
  /**
   * Opens a session as soon as there is room. Whoever opens it gets a function to call, once or more, when the session
   * is over. When the host refuses it although others are open, the limit is lowered to those and it waits again; when
   * none is open, `onFull` is called once and it tries again.
   */
  open<Session>(open: (release: () => void) => Promise<Session>): Promise<Session>;
}

/** Lets at most `limit` sessions be open at once; the others wait in order. sshd refuses more than MaxSessions (10). */
export function sessionSlots(
  limit: number,
  isRefusal: (cause: unknown) => boolean,
  onFull: () => Promise<void>,
): SessionSlots {
  let most = limit;
  let inUse = 0;
  const waiting: (() => void)[] = [];

  function admit(): void {
    while (inUse < most && waiting.length > 0) {
      inUse += 1;
      waiting.shift()?.();
    }
  }

  async function take(): Promise<() => void> {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      admit();
    });
    let isHeld = true;
    return () => {
      if (isHeld) inUse -= 1;
      isHeld = false;
      admit();
    };
  }

  /** What to do about a refusal before the next attempt; throws the refusal when there is nothing to be done. */
  async function makeRoom(cause: unknown, attempt: number): Promise<void> {
    const others = inUse - 1;
    if (!isRefusal(cause) || (others === 0 && attempt > 0)) throw cause;
    if (others > 0) most = others;
    else await onFull();
  }

  return {
    async open(open) {
      for (let lonelyAttempts = 0; ; ) {
        const release = await take();
        try {
          return await open(release);
        } catch (cause) {
          const isAlone = inUse === 1;
          await makeRoom(cause, lonelyAttempts).finally(release);
          if (isAlone) lonelyAttempts += 1;
        }
      }
    },
  };
}

/** Makes a process give its slot back when it is over, or when nobody cares any more. */
export function releasing(release: () => void, process: ScriptProcess): ScriptProcess {
  void process.drained.then(release);
  return {
    ...process,
    abandon() {
      process.abandon();
      release();
    },
  };
}

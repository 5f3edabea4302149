import type { ScriptProcess } from "./run-script.ts";

export interface SessionSlots {
  /**
   * Opens a session as soon as there is room. Whoever opens it gets a function to call, once or more, when the session
   * is over. When the host refuses it although others are open, the limit is lowered to those and it waits again.
   */
  open<Session>(open: (release: () => void) => Promise<Session>): Promise<Session>;
}

/** Lets at most `limit` sessions be open at once; the others wait in order. sshd refuses more than MaxSessions (10). */
export function sessionSlots(limit: number, isRefusal: (cause: unknown) => boolean): SessionSlots {
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

  return {
    async open(open) {
      for (;;) {
        const release = await take();
        try {
          return await open(release);
        } catch (cause) {
          const others = inUse - 1;
          const mayWait = isRefusal(cause) && others > 0;
          if (mayWait) most = others;
          release();
          if (!mayWait) throw cause;
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

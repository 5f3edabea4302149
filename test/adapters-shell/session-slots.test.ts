import { describe, expect, it } from "vitest";
import { sessionSlots } from "../../src/adapters-shell/session-slots.ts";

/** A host that has room for so many sessions and refuses the others. */
function host(room: number) {
  let open = 0;
  let most = 0;
  return {
    most: () => most,
    async session(release: () => void): Promise<number> {
      await Promise.resolve();
      if (open >= room) throw new Error("refused");
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        release();
        release();
      }, 2);
      return open;
    },
  };
}

const isRefusal = (cause: unknown) => cause instanceof Error && cause.message === "refused";

describe("sessionSlots()", () => {
  it("opens no more sessions at once than its limit, and all of them in the end", async () => {
    const roomy = host(100);
    const slots = sessionSlots(8, isRefusal, async () => {});
    const sessions = await Promise.all(Array.from({ length: 30 }, () => slots.open(roomy.session)));
    expect(sessions).toHaveLength(30);
    expect(roomy.most()).toBe(8);
  });

  it("goes on with fewer when the host refuses some", async () => {
    const narrow = host(3);
    const slots = sessionSlots(8, isRefusal, async () => {});
    const sessions = await Promise.all(Array.from({ length: 30 }, () => slots.open(narrow.session)));
    expect(sessions).toHaveLength(30);
    expect(narrow.most()).toBe(3);
  });

  it("asks for room once when the host refuses although no session is open", async () => {
    let isFull = true;
    const slots = sessionSlots(8, isRefusal, async () => {
      isFull = false;
    });
    const roomy = host(8);
    const open = (release: () => void) => (isFull ? Promise.reject(new Error("refused")) : roomy.session(release));
    expect(await slots.open(open)).toBe(1);
  });

  it("gives the refusal up when no session is open, and any other failure at once", async () => {
    const slots = sessionSlots(8, isRefusal, async () => {});
    await expect(slots.open(host(0).session)).rejects.toThrow("refused");
    await expect(slots.open(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await slots.open(host(1).session)).toBe(1);
  });
});

import { setFlagsFromString } from "node:v8";

// Imported for its effect, before anything else is loaded: V8 should work in small pieces, since while it works no token
// is stamped. Figures of 512 streams and 20,000 events/s on one core: docs/decisions/http-client.md.
for (const flag of [
  // New objects stay in the 1 MiB they have at first instead of up to 16: collecting them often costs the same in all,
  // and at most 2 ms at once instead of 16. So little is not worth waiting for another thread.
  "--semi-space-growth-factor=1",
  "--no-parallel-scavenge",
  // Functions are compiled when they are really hot, and with little of others inlined: a piece of 5 ms becomes one of
  // 1 ms, on a core that the compiler's thread may have to share with ours. Reading an event takes no longer for it.
  "--interrupt-budget=1000000",
  "--max-inlined-bytecode-size-cumulative=100",
]) {
  setFlagsFromString(flag);
}

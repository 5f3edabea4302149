/** How busy the event loop of this process was during a while; everything in the process counts, not only measuring. */
export interface LoopHealth {
  /** 0 to 1. */
  readonly loopUtilization: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  readonly gcPauseMs: number;
  /** CPU time of the whole process, all its threads. */
  readonly cpuMs?: number;
}

/** Watches this process while it measures. */
export interface LoopWatch {
  /** Starts watching, until `end` is called once. */
  start(): { end(): LoopHealth };
}

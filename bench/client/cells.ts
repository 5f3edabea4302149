/** One load that every client is put under. */
export interface Cell {
  readonly name: string;
  readonly title: string;
  readonly model: string;
  readonly streams: number;
  readonly requests: number;
  readonly tokens: number;
  readonly ttftMs: number;
  readonly itlMs: number;
  /** Sigma of the lognormal factor on TTFT and gaps: without it all streams beat in step. */
  readonly jitter: number;
  /** Poisson arrivals per second instead of a closed loop. */
  readonly ratePerS: number | null;
}

/** Ends of the ladder that looks for the knee, events per second offered. */
export const LADDER = [1250, 2500, 5000, 10_000, 15_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000];

export const PROFILES = [
  "plain",
  "role-first",
  "multi",
  "multi+no-usage",
  "crlf",
  "nospace",
  "comments",
  "split",
  "split+crlf",
  "coalesce",
  "early-eos",
  "midstream-error",
  "stall",
  "rst",
  "503",
  "slow-headers",
  "no-usage",
  "utf8",
  "reasoning",
  "toolcall",
  "huge-event",
] as const;

const accuracy = { model: "m", ttftMs: 500, jitter: 0.1, tokens: 128, ratePerS: null };

const ACCURACY: readonly Cell[] = [
  { ...accuracy, name: "a1", title: "64 streams x 100 events/s", streams: 64, itlMs: 10, requests: 192 },
  { ...accuracy, name: "a2", title: "128 streams x 40 events/s", streams: 128, itlMs: 25, requests: 384 },
  { ...accuracy, name: "a3", title: "512 streams x 40 events/s", streams: 512, itlMs: 25, requests: 1536 },
];

const OPEN_LOOP: Cell = {
  ...accuracy,
  name: "d",
  title: "Poisson 200 requests/s",
  streams: 0,
  requests: 2000,
  tokens: 16,
  ttftMs: 100,
  itlMs: 10,
  ratePerS: 200,
};

/** 128 streams, answers of about 4 s, two waves: more load is shorter gaps. */
export function ladderCell(eventsPerS: number): Cell {
  const itlMs = (128 * 1000) / eventsPerS;
  return {
    ...accuracy,
    name: `b-${eventsPerS}`,
    title: `128 streams, ${eventsPerS} events/s offered`,
    streams: 128,
    requests: 256,
    tokens: Math.round(4000 / itlMs),
    ttftMs: 200,
    itlMs,
  };
}

export function profileCell(profile: string): Cell {
  return {
    ...accuracy,
    name: `e-${profile}`,
    title: `profile ${profile}`,
    model: `m@${profile}`,
    streams: 8,
    requests: 40,
    tokens: 16,
    ttftMs: 200,
    itlMs: 12,
  };
}

/** The cells of a name: `a3`, `d`, `e` (all profiles), `e-crlf`. The ladder `b` is not a list of cells. */
export function cellsOf(name: string): readonly Cell[] {
  if (name === "e") return PROFILES.map(profileCell);
  if (name.startsWith("e-")) return [profileCell(name.slice(2))];
  const cell = [...ACCURACY, OPEN_LOOP].find((each) => each.name === name);
  if (cell === undefined) throw new Error(`Unknown cell "${name}": a1, a2, a3, b, d, e or e-PROFILE is wanted`);
  return [cell];
}

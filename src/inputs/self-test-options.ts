import { integerText, type OptionTable, option, optionsInvalid, parseOptions } from "./option-table.ts";

const value = { group: "Self-test", sources: ["cli"], placeholder: "n" } as const;

/** Flags of `arc-vllm self-test`. */
export const SELF_TEST_FLAGS = {
  streams: option(integerText(1, 4096), {
    ...value,
    description: "Check this one load instead of rising ones: streams at once. With --events-per-second.",
  }),
  "events-per-second": option(integerText(1, 1_000_000), {
    ...value,
    description: "Events a second over all streams of that one load.",
  }),
} as const satisfies OptionTable;

/** The one load that was asked for; null: rising loads. Throws INPUT_INVALID. */
export function parseSelfTestFlags(
  texts: Readonly<Record<string, string | undefined>>,
): { readonly streams: number; readonly eventsPerSecond: number } | null {
  const { streams, "events-per-second": eventsPerSecond } = parseOptions(SELF_TEST_FLAGS, texts, (name) => `--${name}`);
  if (streams === undefined && eventsPerSecond === undefined) return null;
  if (streams !== undefined && eventsPerSecond !== undefined) return { streams, eventsPerSecond };
  const [given, missing] = streams === undefined ? ["events-per-second", "streams"] : ["streams", "events-per-second"];
  throw optionsInvalid([`--${given}: found without --${missing}, wanted both`]);
}

/** Everything a person sees while a run goes on. The Action, the terminal and tests have one each. */
export interface Console {
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
  /** Opens a titled part of the log that lasts until the next `group` or `endGroup`. */
  group(title: string): void;
  endGroup(): void;
  /**
   * One changing line: overwritten on a terminal, printed at most every 15 s elsewhere. With a panel, a terminal that can
   * hold it shows its lines instead.
   */
  progress(line: string, panel?: readonly string[]): void;
}

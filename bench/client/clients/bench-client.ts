import type { Cell } from "../cells.ts";
import type { Claim } from "../claim.ts";

/** A load generator that can be put under a cell, and what it says afterwards in our vocabulary. */
export interface BenchClient {
  readonly name: string;
  /** One thread does its work: then every wait for the core was somebody else's doing, and the run does not count. */
  readonly isOneThread?: boolean;
  /** Why it cannot run here; null: it can. */
  missing(): string | null;
  command(run: ClientRun): ClientCommand;
  /** Reads what it wrote. Throws when it wrote nothing. */
  read(run: ClientRun): Promise<readonly Claim[]>;
}

export interface ClientRun {
  readonly cell: Cell;
  readonly port: number;
  /** A folder of this run alone. */
  readonly folder: string;
}

export interface ClientCommand {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files to write before the start, by name inside the folder. */
  readonly files?: Readonly<Record<string, string>>;
}

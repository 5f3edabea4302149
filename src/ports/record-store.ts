/** Where finished records are kept. Records are never rewritten. */
export interface RecordStore {
  /** Raw JSON texts with where they came from, oldest first. */
  list(): Promise<readonly StoredText[]>;
  add(name: string, json: string): Promise<string>;
}

export interface StoredText {
  readonly path: string;
  readonly json: string;
}

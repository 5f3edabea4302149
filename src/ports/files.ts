/** The runner's own file system (never a host's). Paths are absolute or relative to the working directory. */
export interface Files {
  /** Null when the file does not exist. */
  read(path: string): Promise<string | null>;
  /** The text from its start, piece by piece, for files that are too large to hold; null when it does not exist. */
  readPieces?(path: string): Promise<AsyncIterable<string> | null>;
  /** Writes whole and atomically (temporary file in the same folder, then rename); makes parent folders. */
  write(path: string, text: string): Promise<void>;
  append(path: string, text: string): Promise<void>;
  /** Names in a folder, sorted; empty when the folder does not exist. */
  list(folder: string): Promise<readonly string[]>;
  remove(path: string): Promise<void>;
}

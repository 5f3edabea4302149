/** A rendered report; `main` writes it under the report folder. */
export interface ReportFile {
  readonly path: string;
  readonly text: string;
}

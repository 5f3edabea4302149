/** What the Action hands to later steps. action.yml and docs/inputs.md are generated from this table. */
export const ACTION_OUTPUTS = {
  verdict:
    "Worst status over the judged metrics: PASS, IMPROVED, IDENTICAL, REGRESSION, INCONCLUSIVE, CALIBRATING, RECIPE_MISMATCH or INVALID. Empty when nothing was measured.",
  "comparison-count": "Number of comparisons that were made.",
  "regressed-metrics": "Metrics that became worse, one per line.",
  "mde-max":
    "Largest minimum detectable effect over the judged metrics, in percent: smaller regressions may pass unseen.",
  "report-dir": "Folder with all reports.",
  "junit-path": "JUnit XML report.",
  "summary-path": "Markdown summary.",
  "results-path": "Results as JSON.",
  "record-path": "Record of the run, which can be a baseline later; one path per line with several hosts.",
} as const;

export type ActionOutput = keyof typeof ACTION_OUTPUTS;

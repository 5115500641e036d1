/** Value with its labels. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Metric that is read at each scrape. */
export interface ObservableMetric {
  /** Name with the unit, by Prometheus conventions: `swarmlens_…_bytes`, `…_seconds`; `…_total` for counters. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Returns the current samples. Label values from outside must be bounded. */
  readonly read: () => Iterable<Sample>;
}

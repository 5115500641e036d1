/**
 * How a call of a tool ended: answered; answered with a refusal or a failure of its own; not answered in time; not
 * answered because the connection or the server failed; put off because the server asks for a pause; not sent at all, by
 * the breaker, the bulkhead or for want of a connection.
 */
export type ToolCallOutcome = 'ok' | 'error' | 'timeout' | 'failed' | 'busy' | 'not_sent';

/** Why readers were not told something at a tick, and get it with a later one. */
export type TickSkipCause = 'slow_reader' | 'busy_server';

/** Counts what happens and is over then. What is still so when somebody looks is read at that moment instead. */
export interface MetricsRecorder {
  /** A call of a tool has ended, all its tries and its waiting for others included. */
  recordToolCall(serverId: string, tool: string, outcome: ToolCallOutcome, durationMs: number): void;
  recordPoll(serverId: string, answered: boolean, durationMs: number): void;
  /**
   * One update has been given to all readers of a group, or to their sockets.
   * @param latencyMs since the tick that it belongs to was due; `null`: it did not wait for one
   */
  recordDelivery(readers: number, latencyMs: number | null): void;
  recordSkippedTicks(cause: TickSkipCause, ticks: number): void;
}

/** A value with its labels. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Something that is read when somebody looks. */
export interface ObservableMetric {
  /** With its unit, as Prometheus has it: `swarmlens_…_bytes`, `…_seconds`, `…_total` of what only grows. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Values of labels that come from outside have to be bounded. */
  readonly read: () => Iterable<Sample>;
}

/** Where metrics are read. */
export interface MetricsExporter {
  readonly contentType: string;
  read(): Promise<string>;
}

/**
 * Outcome of a tool call. `ok`: answered; `error`: answered with an error; `timeout`: not answered in time; `failed`: the
 * connection or the server failed; `busy`: postponed at the server's request; `not_sent`: rejected by the circuit breaker
 * or the bulkhead, or without a connection.
 */
export type ToolCallOutcome = 'ok' | 'error' | 'timeout' | 'failed' | 'busy' | 'not_sent';

/** Reason for sending readers nothing at a tick. They receive the changes at a later one. */
export type TickSkipCause = 'slow_reader' | 'busy_server';

/** Port that records events as metrics. Values that can be read at any time are `ObservableMetric`s instead. */
export interface MetricsRecorder {
  /** Records a completed tool call. The duration includes all attempts and the time in the queue. */
  recordToolCall(serverId: string, tool: string, outcome: ToolCallOutcome, durationMs: number): void;
  recordPoll(serverId: string, answered: boolean, durationMs: number): void;
  /**
   * Records one update that all readers of a group, or their sockets, have received.
   * @param latencyMs milliseconds since the due time of the tick. Null if the update did not wait for a tick
   */
  recordDelivery(readers: number, latencyMs: number | null): void;
  recordSkippedTicks(cause: TickSkipCause, ticks: number): void;
}

/** Port that exports all metrics as text. */
export interface MetricsExporter {
  readonly contentType: string;
  read(): Promise<string>;
}

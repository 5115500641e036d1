/** Poll in progress. */
export interface PollSpan {
  end(answered: boolean): void;
}

/** Update that is being rendered and sent. */
export interface DeliverySpan {
  /** @param readers number of readers that received the update. 0 if it failed */
  end(readers: number): void;
}

/** Summary of one commit. */
export interface TracedChange {
  readonly serverId: string;
  readonly agents: number;
  readonly removedAgents: number;
  /** Revision of the store after the commit. */
  readonly revision: number;
}

/** Port that traces changes from a poll through the commit to the delivery. */
export interface Tracer extends AsyncDisposable {
  /** Number of recorded changes. A group has delivered the changes up to its position. */
  readonly position: number;
  /** Starts a poll span. Changes of the server until its end belong to it. One poll per server at a time. */
  startPoll(serverId: string): PollSpan;
  recordChange(change: TracedChange): void;
  /**
   * Starts a span for an update with the changes of these servers after `since`. Null if none of the changes is known any more.
   */
  startDelivery(serverIds: ReadonlySet<string>, since: number): DeliverySpan | null;
}

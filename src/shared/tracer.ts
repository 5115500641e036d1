/** A poll that is under way. */
export interface PollSpan {
  end(answered: boolean): void;
}

/** An update that is being made and sent. */
export interface DeliverySpan {
  /** @param readers that it was given to; 0: it came to nothing */
  end(readers: number): void;
}

/** What a change of the picture consisted of. */
export interface TracedChange {
  readonly serverId: string;
  readonly agents: number;
  readonly removedAgents: number;
  /** Of the picture, after it. */
  readonly revision: number;
}

/** Follows what a server has told to the clients that are told: poll, change, delivery. */
export interface Tracer extends AsyncDisposable {
  /** Changes so far: what a group has told belongs to those up to here. */
  readonly position: number;
  /** What changes of that server until the poll ends belongs to it. One poll of a server at a time. */
  startPoll(serverId: string): PollSpan;
  recordChange(change: TracedChange): void;
  /**
   * An update begins that tells changes of these servers after `since`.
   * @returns `null`: none of them is known any more
   */
  startDelivery(serverIds: ReadonlySet<string>, since: number): DeliverySpan | null;
}

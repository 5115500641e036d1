/** A poll that is under way. */
export interface PollTrace {
  end(answered: boolean): void;
}

/** An update that is being made and sent. */
export interface DeliveryTrace {
  /** @param readers that it was given to; 0: it came to nothing */
  end(readers: number): void;
}

/** What a change of the picture consisted of. */
export interface ChangeTrace {
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
  pollBegan(serverId: string): PollTrace;
  changed(change: ChangeTrace): void;
  /**
   * An update begins that tells changes of these servers after `since`.
   * @returns `null`: none of them is known any more
   */
  deliveryBegan(serverIds: ReadonlySet<string>, since: number): DeliveryTrace | null;
}

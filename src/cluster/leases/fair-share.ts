/** How the servers that any node could watch are shared out, as one node sees it. */
export interface LeaseCounts {
  /** That this node would watch. */
  readonly claimed: number;
  /** That it watches. */
  readonly held: number;
  /** Of those: that nobody below its share has wanted. */
  readonly extra: number;
  /** That live, this one included. */
  readonly nodes: number;
}

/** What one node should have; together that is never less than there are, so each server finds somebody below it. */
export function fairShare({ claimed, nodes }: LeaseCounts): number {
  return Math.ceil(claimed / Math.max(1, nodes));
}

/** Whether a lease that is free is this node's to take at once. One that cannot move is whoever's takes it first. */
export function shouldAcquire(shares: LeaseCounts, movable: boolean): boolean {
  return !movable || shares.held < fairShare(shares);
}

/** Whether this node should let another one have something. */
export function shouldRelease(shares: LeaseCounts): boolean {
  return shares.nodes > 1 && shares.held - shares.extra > fairShare(shares);
}

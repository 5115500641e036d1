/** Lease counts as one node sees them. Counts only servers that every node can own. */
export interface LeaseCounts {
  /** Number of servers that this node claims. */
  readonly claimed: number;
  /** Number of servers that this node owns. */
  readonly held: number;
  /** Number of owned servers beyond the fair share, which no other node acquired. */
  readonly extra: number;
  /** Number of live nodes, including this one. */
  readonly nodes: number;
}

/** Returns the fair share of one node, rounded up so that the shares together cover all servers. */
export function fairShare({ claimed, nodes }: LeaseCounts): number {
  return Math.ceil(claimed / Math.max(1, nodes));
}

/** Returns whether this node should acquire a free lease immediately. Always true for servers that cannot be transferred. */
export function shouldAcquire(counts: LeaseCounts, isTransferable: boolean): boolean {
  return !isTransferable || counts.held < fairShare(counts);
}

/** Returns whether this node should release a lease to another node. */
export function shouldRelease(counts: LeaseCounts): boolean {
  return counts.nodes > 1 && counts.held - counts.extra > fairShare(counts);
}

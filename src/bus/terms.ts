/** Which servers this node holds. */
export interface Terms {
  /** The number under which this node watches the server; `null`: another does, or nobody. */
  termOf(serverId: string): number | null;
}

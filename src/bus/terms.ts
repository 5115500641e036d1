/** Which servers this node holds. */
export interface FencingTokens {
  /** The number under which this node watches the server; `null`: another does, or nobody. */
  tokenOf(serverId: string): number | null;
}

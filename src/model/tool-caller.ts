import type { Restriction } from './restriction.js';

/** Viewer for whom a tool is called. */
export interface ToolCaller {
  /** Client whose share of the server's slots the call takes. */
  readonly clientId: string;
  readonly permissions: readonly string[];
  readonly restriction: Restriction;
}

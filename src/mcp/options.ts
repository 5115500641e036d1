import type { Clock } from '../shared/index.js';
import type { Logger } from '../telemetry/index.js';

export interface ConnectOptions {
  readonly serverId: string;
  /** Aborted: the attempt is given up, and what it had opened is closed. */
  readonly signal: AbortSignal;
  /** Of starting, greeting and asking for the tools, together. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Start a stdio server outside the project that it is asked about; for claude-flow, see `ScratchDirectory`. */
  readonly useScratchDirectory?: boolean;
  /** Called back after `tools` has changed. */
  readonly onToolsChanged?: () => void;
}

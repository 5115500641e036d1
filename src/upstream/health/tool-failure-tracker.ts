import type { Notice, ToolFailure } from '../../model/index.js';
import type { HealthTracker } from './health-tracker.js';

/** Creates one notice when a tool of a server starts to fail and one when it recovers. */
export class ToolFailureTracker {
  readonly #health: HealthTracker;
  #failing: ReadonlySet<string> = new Set();

  constructor(health: HealthTracker) {
    this.#health = health;
  }

  /** @param failures Failed tools of the last answered poll. */
  noticesFor(serverId: string, failures: readonly ToolFailure[]): readonly Notice[] {
    const previous = this.#failing;
    this.#failing = new Set(failures.map(({ tool }) => tool));
    const failed = failures
      .filter(({ tool }) => !previous.has(tool))
      .flatMap(({ tool, message }) => {
        const text = `Tool "${tool}" of ${serverId} fails: ${message}`;
        return this.#health.throttledNotice('TOOL_FAILING', 'WARNING', text, tool);
      });
    const recovered = [...previous]
      .filter((tool) => !this.#failing.has(tool))
      .flatMap((tool) => {
        const text = `Tool "${tool}" of ${serverId} works again`;
        return this.#health.throttledNotice('TOOL_RECOVERED', 'INFO', text, tool);
      });
    return [...failed, ...recovered];
  }
}

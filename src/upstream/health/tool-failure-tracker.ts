import type { Notice, ToolFailure } from '../../model/index.js';
import type { HealthTracker } from './health-tracker.js';

/** Tells of each tool of a server when it begins to fail and when it works again. */
export class ToolFailureTracker {
  readonly #health: HealthTracker;
  #failing: ReadonlySet<string> = new Set();

  constructor(health: HealthTracker) {
    this.#health = health;
  }

  /** @param failures what failed in the poll that has just been answered */
  noticesFor(serverId: string, failures: readonly ToolFailure[]): readonly Notice[] {
    const before = this.#failing;
    this.#failing = new Set(failures.map(({ tool }) => tool));
    const failed = failures
      .filter(({ tool }) => !before.has(tool))
      .flatMap(({ tool, message }) => {
        const told = `tool "${tool}" of ${serverId} fails: ${message}`;
        return this.#health.throttledNotice('TOOL_FAILING', 'WARNING', told, tool);
      });
    const recovered = [...before]
      .filter((tool) => !this.#failing.has(tool))
      .flatMap((tool) => {
        return this.#health.throttledNotice(
          'TOOL_RECOVERED',
          'INFO',
          `tool "${tool}" of ${serverId} works again`,
          tool,
        );
      });
    return [...failed, ...recovered];
  }
}

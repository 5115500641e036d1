import { errorMessage } from '../../shared/index.js';
import type { SimulatedTool } from '../tool.js';

/** Constant execution time of a call, which the real server measures. */
const EXECUTION_TIME_MS = 0.5;

interface CallCount {
  total: number;
  failed: number;
  lastError: string | null;
}

/** State of the simulated ruv-swarm process besides its swarms. */
export class RuvSwarmProcess {
  /** Whether the metrics are set up. Before that, `swarm_status` without a swarm id fails. */
  isWarm = false;
  readonly #calls = new Map<string, CallCount>();

  /** Wraps a tool so that its calls are counted. */
  counted(tool: SimulatedTool): SimulatedTool {
    return {
      ...tool,
      call: (args) => {
        const count = this.#calls.get(tool.name) ?? { total: 0, failed: 0, lastError: null };
        this.#calls.set(tool.name, count);
        try {
          return tool.call(args);
        } catch (error) {
          count.failed += 1;
          count.lastError = errorMessage(error);
          throw error;
        } finally {
          count.total += 1;
        }
      },
    };
  }

  get metrics(): object {
    return Object.fromEntries(
      [...this.#calls].map(([name, { total, failed, lastError }]) => [
        name,
        {
          total_calls: total,
          successful_calls: total - failed,
          failed_calls: failed,
          avg_execution_time_ms: EXECUTION_TIME_MS,
          last_error: lastError,
        },
      ]),
    );
  }
}

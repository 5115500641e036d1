import type { ServerConfig } from '../../src/config/index.js';
import { systemClock } from '../../src/shared/index.js';
import { runSimulator, SIMULATOR_DEFAULTS } from '../../src/simulator/index.js';
import { serverConfig } from '../support/app.js';
import { MAX_ANSWER_MS } from './endpoints.js';
import { LIST_TOOLS } from './own-lists.js';

/** The id of the server beside the faulty ones, which has no fault and is not to notice theirs. */
export const STEADY = 'steady';

/** A simulated ruv-swarm over HTTP, in this process. */
export class SteadyServer implements AsyncDisposable {
  readonly config: ServerConfig;
  readonly #simulator: AsyncDisposable;
  readonly #stop: () => void;

  private constructor(simulator: AsyncDisposable, url: string, stop: () => void) {
    this.#simulator = simulator;
    this.#stop = stop;
    this.config = {
      ...serverConfig(STEADY, []),
      endpoint: { type: 'http', url, headers: {} },
      timeoutMs: MAX_ANSWER_MS,
      connectTimeoutMs: MAX_ANSWER_MS,
      allowTools: LIST_TOOLS['ruv-swarm'],
    };
  }

  static async start(): Promise<SteadyServer> {
    let isFrozen = false;
    const clock = {
      ...systemClock,
      schedule: (delayMs: number, callback: () => void) =>
        systemClock.schedule(delayMs, () => {
          if (!isFrozen) callback();
        }),
    };
    const options = { ...SIMULATOR_DEFAULTS, type: 'ruv-swarm', transport: 'http', agents: 6, hz: 20, clock } as const;
    const simulator = await runSimulator(options, { stdin: process.stdin, stdout: process.stdout });
    return new SteadyServer(simulator, simulator.url ?? '', () => (isFrozen = true));
  }

  /** Nothing changes there any more. */
  freeze(): void {
    this.#stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#simulator[Symbol.asyncDispose]();
  }
}

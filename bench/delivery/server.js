// Child process with one server over synthetic agents. Its argument contains the options as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { answerCommands } from '../support/commands.js';
import { SyntheticState } from './synthetic-state.js';

// Imported on demand, so that no server loads the modules of another.
const CONTENDERS = {
  raw: async (options) => (await import('../contenders/raw.js')).startRaw(options),
  yoga: async (options) => (await import('../contenders/yoga.js')).startYoga(options),
  mercurius: async (options) => (await import('../contenders/mercurius.js')).startMercurius(options),
  swarmlens: async (options) => (await import('../contenders/swarmlens.js')).startSwarmlens(options),
};

const options = JSON.parse(process.argv[2]);
const state = new SyntheticState(options);
const port = CONTENDERS[options.contender]({ ...options, state });

answerCommands({
  port: () => port,
  start: ({ ticks }) => state.start(ticks),
  stop: () => state.stop(),
  async gc() {
    for (let round = 0; round < 3; round += 1) {
      globalThis.gc();
      await sleep(50);
    }
    return process.memoryUsage();
  },
});

// One contender over a picture that changes on command. Started by the benchmark with its options as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { answerCommands } from '../support/commands.js';
import { Picture } from './synthetic-state.js';

// Loaded by name, so that no contender pays for the modules of another.
const CONTENDERS = {
  raw: async (options) => (await import('../contenders/raw.js')).startRaw(options),
  yoga: async (options) => (await import('../contenders/yoga.js')).startYoga(options),
  mercurius: async (options) => (await import('../contenders/mercurius.js')).startMercurius(options),
  swarmlens: async (options) => (await import('../contenders/swarmlens.js')).startSwarmlens(options),
};

const options = JSON.parse(process.argv[2]);
const picture = new Picture(options);
const port = CONTENDERS[options.contender]({ ...options, picture });

answerCommands({
  port: () => port,
  start: ({ ticks }) => picture.start(ticks),
  stop: () => picture.stop(),
  async gc() {
    for (let round = 0; round < 3; round += 1) {
      globalThis.gc();
      await sleep(50);
    }
    return process.memoryUsage();
  },
});

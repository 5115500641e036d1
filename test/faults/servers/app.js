// Runs swarmlens with an accelerated clock.
// Usage: fork with CONFIG (JSON) and FACTOR. Sends its URL, and a memory sample on `memory`. Exits on `stop`.
import { createApp } from '../../../dist/app/create-app.js';
import { systemClock } from '../../../dist/shared/index.js';
import { createLogger } from '../../../dist/telemetry/index.js';

const [config, factor] = [JSON.parse(process.argv[2]), Number(process.argv[3])];
const originMs = Date.now();
const clock = {
  now: () => originMs + (Date.now() - originMs) * factor,
  monotonic: () => performance.now() * factor,
  schedule: (delayMs, callback) => systemClock.schedule(delayMs / factor, callback),
};

for (const event of ['unhandledRejection', 'uncaughtException', 'warning']) {
  process.on(event, (error) => process.send({ problem: `${event}: ${error?.stack ?? error}` }));
}
const app = await createApp(config, { clock, logger: createLogger('error') });
process.on('message', (message) => {
  if (message === 'memory') {
    globalThis.gc();
    const { rss, heapUsed } = process.memoryUsage();
    process.send({ rss, heapUsed });
  } else {
    app[Symbol.asyncDispose]().then(() => process.disconnect());
  }
});
process.send({ url: app.url });

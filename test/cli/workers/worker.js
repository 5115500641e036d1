// Minimal worker with the behavior given as argument. Answers requests with its number and process id.
import { createServer } from 'node:http';
import { getWorkerContext } from '../../../dist/cli/workers/worker-context.js';

const [behavior] = process.argv.slice(2);
if (behavior === 'broken') process.exit(3);
const context = getWorkerContext(process.env);
let reads = 0;
const own = {
  contentType: 'text/plain',
  read: async () => {
    reads += 1;
    if (behavior === 'mortal') process.exit(7);
    if (behavior === 'mute') await new Promise(() => undefined);
    if (behavior === 'unable') throw new Error('no metrics today');
    return `# HELP reads_total Reads.\n# TYPE reads_total counter\nreads_total ${reads}\n`;
  },
};
/** Clock whose timers never fire, because the process of the test always answers. */
const clock = { schedule: () => ({ [Symbol.dispose]: () => undefined }) };
const all = context.aggregateMetrics(own, { clock, logger: { error: () => undefined } });
const server = createServer(async (request, response) => {
  response.setHeader('connection', 'close');
  if (request.url === '/metrics') {
    response.end(await all.read());
    return;
  }
  if (request.url === '/reads') {
    response.end(`${context.number} ${reads}`);
    return;
  }
  response.end(`${context.number} ${process.pid}`, () => {
    if (request.url === `/die/${context.number}`) process.exit(7);
  });
});
server.listen(0, '127.0.0.1');
await context.stopRequested;
if (behavior === 'deaf') await new Promise((resolve) => setInterval(resolve, 2 ** 30).ref());
server.close();
context[Symbol.dispose]();
process.exitCode = behavior === 'unwell' ? 5 : 0;

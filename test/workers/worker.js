// A worker that does as the test says by messages, with the least of a server: its number and process are its answer.
import { createServer } from 'node:http';
import { seatOf } from '../../dist/workers/index.js';

const [how] = process.argv.slice(2);
if (how === 'broken') process.exit(3);
const seat = seatOf(process.env);
let reads = 0;
const own = {
  contentType: 'text/plain',
  read: async () => {
    reads += 1;
    if (how === 'mortal') process.exit(7);
    if (how === 'mute') await new Promise(() => undefined);
    if (how === 'unable') throw new Error('no metrics today');
    return `# HELP reads_total Reads.\n# TYPE reads_total counter\nreads_total ${reads}\n`;
  },
};
/** The test's process answers, however long that takes on a slow machine. */
const clock = { schedule: () => ({ [Symbol.dispose]: () => undefined }) };
const all = seat.metricsOfAll(own, { clock, logger: { error: () => undefined } });
const server = createServer(async (request, response) => {
  response.setHeader('connection', 'close');
  if (request.url === '/metrics') {
    response.end(await all.read());
    return;
  }
  if (request.url === '/reads') {
    response.end(`${seat.number} ${reads}`);
    return;
  }
  response.end(`${seat.number} ${process.pid}`, () => {
    if (request.url === `/die/${seat.number}`) process.exit(7);
  });
});
server.listen(0, '127.0.0.1');
await seat.asked;
if (how === 'deaf') await new Promise((resolve) => setInterval(resolve, 2 ** 30).ref());
server.close();
seat[Symbol.dispose]();
process.exitCode = how === 'unwell' ? 5 : 0;

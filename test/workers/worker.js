// A worker that does as the test says by messages, with the least of a server: its number and process are its answer.
import { createServer } from 'node:http';
import { seatOf } from '../../dist/workers/index.js';

const [how] = process.argv.slice(2);
if (how === 'broken') process.exit(3);
const seat = seatOf(process.env);
const server = createServer((request, response) => {
  response.setHeader('connection', 'close');
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

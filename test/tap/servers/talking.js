// Server that hashes all bytes it reads and writes, except those of injected calls, and reports the hashes at the end.
// Usage: node talking.js SEED LINES
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { randomFrom, randomLine } from '../random.js';

const [seed = '1', lines = '100'] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const read = createHash('sha256');
const written = createHash('sha256');
let own = 0;
let rest = Buffer.alloc(0);
let left = Number(lines);

function write(bytes) {
  written.update(bytes);
  // The output of a busy server arrives in pieces.
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + Math.floor(random() * 5_000);
    process.stdout.write(bytes.subarray(start, end));
    start = end;
  }
}

function take(line) {
  const isOwn = line.includes('"id":"swarmlens-');
  if (!isOwn) read.update(line);
  let message;
  try {
    message = JSON.parse(line.toString());
  } catch {
    return;
  }
  if (isOwn) {
    own += 1;
    const { id } = message;
    const answer = own % 2 === 0 ? { id, result: { own } } : { result: { own }, id };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  } else if (message?.id !== undefined && message.method !== undefined) {
    write(Buffer.from(`${JSON.stringify({ result: { of: message.id }, jsonrpc: '2.0', id: message.id })}\n`));
  }
  if (left > 0) {
    left -= 1;
    write(randomLine(random));
  }
}

process.stdin.on('data', (chunk) => {
  rest = Buffer.concat([rest, chunk]);
  for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
    take(rest.subarray(0, end + 1));
    rest = rest.subarray(end + 1);
  }
});
process.stdin.on('end', () => {
  read.update(rest);
  const report = JSON.stringify({ read: read.digest('hex'), written: written.digest('hex'), own });
  process.stderr.write(`${report}\n`, () => (process.exitCode = 4));
});

// Sends one kind of abusive load and prints the number of responses of each kind.
// Usage: node abuser.js URL KIND MILLISECONDS CONNECTIONS
/* global clearInterval, fetch, setImmediate */
import { connect } from 'node:net';
import { WebSocket } from 'ws';

const [, , url, kind, forMs, connections] = process.argv;
const { hostname, port } = new URL(url);
const socketUrl = `${url.replace('http', 'ws')}/graphql`;
const endMs = performance.now() + Number(forMs);
const counts = new Map();
const count = (response) => counts.set(response, (counts.get(response) ?? 0) + 1);
const isOver = () => performance.now() >= endMs;

/** Opens a WebSocket. Resolves when it is closed. @param act called with the acknowledged WebSocket */
function socket(act, init = true) {
  return new Promise((resolve) => {
    const made = new WebSocket(socketUrl, 'graphql-transport-ws', { perMessageDeflate: false });
    made.on('error', () => undefined);
    made.on('unexpected-response', (request, response) => {
      count(`HTTP ${response.statusCode}`);
      request.destroy();
      resolve();
    });
    made.on('open', () => (init ? made.send('{"type":"connection_init"}') : act(made)));
    made.on('message', (data) => {
      const text = data.toString();
      if (text.includes('connection_ack')) act(made);
      else count(/"code":"(\w+)"/.exec(text)?.[1] ?? /"type":"(\w+)"/.exec(text)?.[1]);
    });
    made.on('close', (code) => {
      count(`closed ${code}`);
      resolve();
    });
    const timer = setInterval(() => {
      if (!isOver()) return;
      clearInterval(timer);
      made.terminate();
      resolve();
    }, 50);
  });
}

/** Opens a TCP connection and counts the beginnings of its responses. Resolves when it is closed. */
function raw(text) {
  return new Promise((resolve) => {
    const made = connect(Number(port), hostname);
    made.on('error', () => undefined);
    made.on('data', (data) => count(data.toString('latin1', 0, 12)));
    made.on('close', resolve);
    made.write(text);
    const timer = setInterval(() => {
      if (!isOver()) return;
      clearInterval(timer);
      made.destroy();
    }, 50);
  });
}

async function post(query, variables = {}) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query, variables }),
  });
  count(/"code":"(\w+)"/.exec(await response.text())?.[1] ?? `HTTP ${response.status}`);
}

const many = (times, one) => Promise.all(Array.from({ length: times }, one));
/** Repeats a task until the end, `width` at a time. */
const keepOn = (width, one) =>
  many(width, async () => {
    while (!isOver()) await one();
  });

const KINDS = {
  /** Keeps the CPU busy without any requests, as the baseline. */
  spin: async () => {
    while (!isOver()) await new Promise(setImmediate);
  },
  connections: () => many(Number(connections), () => socket(() => undefined)),
  subscribes: () =>
    keepOn(2, () =>
      socket((made) => {
        for (let id = 0; id < 10_000; id += 1) {
          const payload = { query: 'subscription { agentUpdates(mode: HIGH_FREQUENCY) { cursor } }' };
          made.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload }));
        }
      }),
    ),
  messages: () =>
    keepOn(2, () =>
      socket((made) => {
        for (let id = 0; id < 10_000; id += 1) made.send('{"type":"ping"}');
      }),
    ),
  operations: () =>
    keepOn(4, () => post(`{ ${Array.from({ length: 40 }, (_, i) => `a${i}: health { status }`).join(' ')} }`)),
  documents: () => keepOn(4, () => post(`{ ${'__typename '.repeat(20_000)} }`, { a: 'x'.repeat(20_000) })),
  handshakes: () => many(500, () => raw('GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n')),
  oversized: () => keepOn(4, () => socket((made) => made.send('x'.repeat(300_000)))),
  requests: () => keepOn(32, () => post('{ __typename }')),
};
await KINDS[kind]();
console.log([...counts].map(([response, times]) => `${times} × ${response}`).join(', ') || 'no responses');
process.exit(0);

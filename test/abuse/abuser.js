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
function socket(act, init = true, options = {}) {
  return new Promise((resolve) => {
    const made = new WebSocket(socketUrl, 'graphql-transport-ws', { perMessageDeflate: false, ...options });
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

/** Opens a TCP connection and counts the beginnings of its responses, unless it does not read. Resolves when it is closed. */
function raw(text, isReading = true) {
  return new Promise((resolve) => {
    const made = connect(Number(port), hostname);
    made.on('error', () => undefined);
    if (isReading) made.on('data', (data) => count(data.toString('latin1', 0, 12)));
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

/** Runs an operation over server-sent events. */
async function stream(query) {
  const headers = { accept: 'text/event-stream' };
  const response = await fetch(`${url}/graphql?query=${encodeURIComponent(query)}`, { headers });
  count(/"code":"(\w+)"/.exec(await response.text())?.[1] ?? `HTTP ${response.status}`);
}

const AGENTS = '{ agents { id name status performance { cpuUsage } } }';
const many = (times, one) => Promise.all(Array.from({ length: times }, one));
/** Repeats a task until the end, `width` at a time. */
const keepOn = (width, one) =>
  many(width, async () => {
    while (!isOver()) await one();
  });

const AGENT_FIELDS =
  'id name type status stale capabilities performance { tasksCompleted cpuUsage memoryUsage } lastSeenAt';
const aliases = (times, prefix, field) =>
  Array.from({ length: times }, (_, index) => `${prefix}${index}: ${field}`).join(' ');

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
  /** Sends as many operations as possible over HTTP, SSE and WebSocket, which count against one rate. */
  transports: () =>
    Promise.all([
      keepOn(8, () => post(AGENTS)),
      keepOn(8, () => stream(AGENTS)),
      keepOn(8, () =>
        socket((made) => {
          let id = 0;
          const send = (times) => {
            for (let sent = 0; sent < times; sent += 1) {
              id += 1;
              made.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query: AGENTS } }));
            }
          };
          // All messages that the limit of messages allows: five seconds at once, then 100 per second.
          send(450);
          const timer = setInterval(() => send(9), 100);
          made.on('close', () => clearInterval(timer));
        }),
      ),
    ]),
  /** Counts and filters whose answers are short, each in many aliases. */
  lookups: () =>
    keepOn(8, () =>
      post(
        `{ ${aliases(14, 's', 'swarms { agentCount }')} ${aliases(14, 'n', 'agents(agentTypes: ["none"]) { id }')} }`,
      ),
    ),
  /** Long lists, each in many aliases. */
  answers: () => keepOn(8, () => post(`{ ${aliases(30, 'a', `agents { ${AGENT_FIELDS} }`)} }`)),
  /** WebSockets that query and do not read. */
  unread: () =>
    keepOn(20, () =>
      socket((made) => {
        made.pause();
        const query = `{ ${aliases(30, 'a', `agents { ${AGENT_FIELDS} }`)} }`;
        for (let id = 0; id < 100; id += 1)
          made.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query } }));
      }),
    ),
  /** Streams of server-sent events that do not read. */
  unreadStreams: () =>
    many(200, () => {
      const body = JSON.stringify({
        query: `subscription { agentUpdates(mode: HIGH_FREQUENCY) { agents { ${AGENT_FIELDS} } } }`,
      });
      const headers = `Host: localhost\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
      return raw(`POST /graphql HTTP/1.1\r\n${headers}\r\n\r\n${body}`, false);
    }),
  /** As many tool calls as possible at the same time. */
  calls: () =>
    keepOn(3, () =>
      socket((made) => {
        const query = 'mutation { callTool(serverId: "sim", tool: "agent_list") { isError } }';
        let id = 0;
        const timer = setInterval(() => {
          for (let sent = 0; sent < 9; sent += 1) {
            id += 1;
            made.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query } }));
          }
        }, 100);
        made.on('close', () => clearInterval(timer));
      }),
    ),
  /** 400 subscriptions, each with another filter as long as is allowed. */
  filters: () =>
    many(4, (_, index) =>
      socket((made) => {
        const query = `subscription ($swarmIds: [ID!]) {
          agentUpdates(mode: HIGH_FREQUENCY, swarmIds: $swarmIds) { cursor agents { id status } } }`;
        let id = 0;
        // As fast as the rate of operations allows.
        const timer = setInterval(() => {
          if ((id += 1) > 100) return;
          const swarmIds = Array.from({ length: 200 }, (_swarm, swarm) =>
            `sim:${index}-${id}-${swarm}-`.padEnd(600, 'x'),
          );
          made.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query, variables: { swarmIds } } }));
        }, 25);
        made.on('close', () => clearInterval(timer));
      }),
    ),
  /** Subscribes to the agents of a server that replaces all of them in each answer. */
  flood: () =>
    many(2, () =>
      socket((made) => {
        const query =
          'subscription { agentUpdates(mode: HIGH_FREQUENCY) { removedAgentIds agents { id name } patches { id patch } } }';
        made.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
      }),
    ),
  /** WebSockets that answer no ping. */
  unanswered: () => many(500, () => socket(() => undefined, true, { autoPong: false })),
};
await KINDS[kind]();
console.log([...counts].map(([response, times]) => `${times} × ${response}`).join(', ') || 'no responses');
process.exit(0);

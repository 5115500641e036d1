/* global fetch */
// Long inputs of every kind, and the programs that send them. Run as a program: long-inputs.js stdio|ws|http, long-inputs.js client URL http|ws, or long-inputs.js node URL
import { createServer as createHttpServer } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { WebSocket, WebSocketServer } from 'ws';

/** Length of the inputs in bytes, a little below the limit of 10 MB. */
export const LENGTH = 10_000_000;

/** Length of operations in bytes that a server accepts. */
const SHORT_LENGTH = 240_000;
/** Length of messages in bytes that nodes accept. */
const MESSAGE_LENGTH = 1_000_000;

const repeat = (unit, length = LENGTH) => unit.repeat(Math.floor(length / unit.length));
const list = (entry, length) => `[${repeat(`${entry},`, length)}${entry}]`;

/** JSON text of agents, as a server answers a poll. */
export function agentsJson(length = LENGTH) {
  const agent = { name: 'worker', type: 'coder', status: 'busy', capabilities: ['code', 'test'], tasks: { done: 5 } };
  const agents = Array.from({ length: Math.floor(length / 140) }, (_, index) => ({ id: `agent-${index}`, ...agent }));
  return JSON.stringify({ agents });
}

/** Long JSON texts by name. */
export const JSON_TEXTS = {
  agents: agentsJson,
  numbers: (length) => list('1', length),
  'empty objects': (length) => list('{}', length),
  'short texts': (length) => list('"ab"', length),
  'short secrets': (length) => list('"password=hunter2 Bearer abcdefgh1"', length),
  'one text': (length = LENGTH) => JSON.stringify('a'.repeat(length)),
  'one text of escapes': (length) => `"${repeat('\\u001b;?', length)}"`,
  'one text of brackets': (length) => `"password=${repeat(')', length)}"`,
  'many names': (length = LENGTH) => `{${Array.from({ length: length / 12 }, (_, index) => `"k${index}":1`).join()}}`,
  'many names below a secret name': (length = LENGTH) =>
    `{"tokens":{${Array.from({ length: length / 16 }, (_, index) => `"k${index}":"v"`).join()}}}`,
  'many shapes': (length = LENGTH) =>
    `[${Array.from({ length: length / 20 }, (_, index) => `{"a${index}":{"b":1}}`).join()}]`,
  'deep lists': (length = LENGTH) => '['.repeat(length / 2) + ']'.repeat(length / 2),
  'deep objects': (length = LENGTH) => `${'{"a":'.repeat(length / 6)}1${'}'.repeat(length / 6)}`,
  spaces: (length = LENGTH) => `[${' '.repeat(length)}1]`,
};

/** Results of a tool call as JSON, by name. Texts are half as long, because JSON within JSON grows. */
const RESULTS = {
  ...Object.fromEntries(
    Object.entries(JSON_TEXTS).flatMap(([name, json]) => [
      [`structure: ${name}`, () => `{"content":[],"structuredContent":{"value":${json()}}}`],
      [`text: ${name}`, () => JSON.stringify({ content: [{ type: 'text', text: json(LENGTH * 0.5) }] })],
    ]),
  ),
  'text that is not JSON': () => JSON.stringify({ content: [{ type: 'text', text: repeat('password=(') }] }),
  'many blocks': () => `{"content":${list('{"type":"image"}')}}`,
  'many members': () => JSON_TEXTS['many names'](),
  'many members of _meta': () => `{"content":[],"_meta":${JSON_TEXTS['many names']()}}`,
};

/** Responses to a request, by name. */
const RESPONSES = {
  ...Object.fromEntries(
    Object.entries(RESULTS).map(([name, result]) => [
      name,
      (id) => `{"jsonrpc":"2.0","id":${id},"result":${result()}}`,
    ]),
  ),
  'error with a long message': (id) =>
    `{"jsonrpc":"2.0","id":${id},"error":{"code":1,"message":"${repeat('\\u001b[; password=( ')}"}}`,
  'error with long data': (id) =>
    `{"jsonrpc":"2.0","id":${id},"error":{"code":1,"message":"x","data":${JSON_TEXTS['many names']()}}}`,
};

/** Other lines, by name. */
const OTHER_LINES = {
  'long notification': () =>
    `{"jsonrpc":"2.0","method":"notifications/message","params":{"data":${JSON_TEXTS['short secrets']()}}}`,
  'response to another request': () => `{"jsonrpc":"2.0","id":"other","result":{"a":${JSON_TEXTS.agents()}}}`,
  'line that is no message': () => JSON_TEXTS['many shapes'](),
  'line that is not JSON': () => repeat('HTTP {"'),
  'line of spaces': () => ' '.repeat(LENGTH),
  'incomplete line': () => `{"jsonrpc":"2.0","result":{"a":${repeat('{"b":[')}`,
};
/** Notifications of a tap about calls of another client, by name. */
const OBSERVED_CALLS = Object.fromEntries(
  Object.entries(RESULTS).flatMap(([name, result]) => [
    [`result: ${name}`, () => observedCall('{"a":1}', result())],
    [`arguments: ${name}`, () => observedCall(result(), '{"content":[]}')],
  ]),
);

function observedCall(args, result) {
  const params = `{"tool":"x","arguments":${args},"result":${result}}`;
  return `{"jsonrpc":"2.0","method":"notifications/swarmlens/call","params":${params}}`;
}

const LINES = { ...RESPONSES, ...OTHER_LINES, ...OBSERVED_CALLS };

export const OBSERVED_CALL_NAMES = Object.keys(OBSERVED_CALLS);

export const RESPONSE_NAMES = Object.keys(RESPONSES);
export const LINE_NAMES = Object.keys({ ...RESPONSES, ...OTHER_LINES });

const INITIALIZED = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'long', version: '1' },
};
const TOOLS = Array.from({ length: 9_000 }, (_, index) => ({
  name: `tool-${index}`,
  description: 'password: x'.repeat(90),
  inputSchema: { type: 'object' },
}));

/** Returns the lines in response to a request. A short response follows a long line, which may be no response. */
function respond({ id, method, params }) {
  if (id === undefined) return [];
  const result = { initialize: INITIALIZED, 'tools/list': { tools: TOOLS } }[method];
  const json = JSON.stringify(id);
  if (result !== undefined) return [JSON.stringify({ jsonrpc: '2.0', id, result })];
  return [LINES[params.name]?.(json), `{"jsonrpc":"2.0","id":${json},"result":{"content":[]}}`].filter(
    (line) => line !== undefined,
  );
}

function serveStream(input, output) {
  createInterface({ input }).on('line', (line) => {
    for (const response of respond(JSON.parse(line))) output.write(`${response}\n`);
  });
}

/** Starts a server on a free port and prints the port. */
function announce(server) {
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
}

const PROGRAMS = {
  stdio() {
    process.stderr.write(`${repeat('\u001b;? password=(')}\n`);
    serveStream(process.stdin, process.stdout);
  },
  ws() {
    const server = createHttpServer();
    new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 2 * LENGTH }).on('connection', (socket) => {
      socket.on('message', (data) => {
        for (const response of respond(JSON.parse(data))) socket.send(response);
      });
    });
    announce(server);
  },
  client,
  node,
  http() {
    announce(
      createHttpServer(async (request, response) => {
        let body = '';
        for await (const chunk of request) body += chunk;
        if (request.method !== 'POST') {
          response.writeHead(405).end();
          return;
        }
        const message = JSON.parse(body);
        const [first, ...rest] = respond(message);
        if (first === undefined) response.writeHead(202).end();
        else if (request.url === '/json') {
          response.writeHead(200, { 'content-type': 'application/json' }).end(first);
        } else {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          const events = [first, ...rest].map((line) => `data: ${line.replaceAll('\n', '')}\r\r`);
          // Many short lines of every kind come first.
          response.end(`${'\n'.repeat(60_000)}${':\r'.repeat(60_000)}${'data\n'.repeat(1_000)}\n${events.join('')}`);
        }
      }),
    );
  },
};

/** Operations that a client sends, as JSON. The short ones are just within the limits of a server. */
const OPERATIONS = Object.fromEntries(
  [LENGTH, SHORT_LENGTH].flatMap((length) => [
    ...Object.entries(JSON_TEXTS).map(([name, json]) => [
      `variables of ${length} bytes: ${name}`,
      () => `{"query":"query($a: JSON) { __typename }","variables":{"a":${json(length)}}}`,
    ]),
    [`document of ${length} bytes`, () => JSON.stringify({ query: `{ ${repeat('a(b: "\\u001b[;") ', length / 2)} }` })],
    [
      `document of ${length} bytes of strings`,
      () => JSON.stringify({ query: repeat('"'.repeat(3) + '\\', length / 3) }),
    ],
    [`arguments of ${length} bytes`, () => callTool(`{"a":${JSON_TEXTS['short secrets'](length)}}`)],
    [`text argument of ${length} bytes`, () => callTool(`{"a":${JSON_TEXTS['one text of brackets'](length)}}`)],
    [`names of ${length} bytes`, () => callTool('{}', repeat('\\u001b;?', length))],
  ]),
);
const CALL_TOOL =
  'mutation($s: ID!, $t: String!, $a: JSON) { callTool(serverId: $s, tool: $t, arguments: $a) { isError } }';

function callTool(argumentsJson, name = 'x') {
  return `{"query":${JSON.stringify(CALL_TOOL)},"variables":{"s":"${name}","t":"${name}","a":${argumentsJson}}}`;
}

export const OPERATION_NAMES = Object.keys(OPERATIONS);

/** Sends an operation over HTTP, or over a WebSocket. Resolves when it is answered or refused. */
const SENDERS = {
  async http(url, body) {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body }).catch(() => null);
    await response?.text().catch(() => null);
  },
  ws(url, body) {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
    socket.on('open', () => {
      socket.send('{"type":"connection_init"}');
      socket.send(`{"id":"1","type":"subscribe","payload":${body}}`);
    });
    return new Promise((resolve) => {
      socket.on('message', (data) => {
        if (JSON.parse(data).id === '1') socket.close();
      });
      socket.on('error', () => undefined);
      socket.on('close', resolve);
    });
  },
};

/** Messages of a node about changes of a server, of 10 MB or just within the limit, by name. */
const BUS_MESSAGES = Object.fromEntries(
  [LENGTH, MESSAGE_LENGTH].flatMap((length) => [
    ...Object.entries(JSON_TEXTS).flatMap(([name, json]) => [
      [`text of ${length} bytes: ${name}`, () => json(length)],
      [`patches of ${length} bytes: ${name}`, () => `{"p":[["a",{"b":${json(length)}}]]}`],
      [`agents of ${length} bytes: ${name}`, () => `{"a":${json(length)}}`],
    ]),
    [`removals of ${length} bytes`, () => `{"ra":${list('"ab"', length)}}`],
    [`swarms of ${length} bytes`, () => `{"w":${list('{"id":"other:a"}', length)}}`],
    [`events of ${length} bytes`, () => `{"v":${list('{"kind":"NOTICE"}', length)}}`],
  ]),
);

export const BUS_MESSAGE_NAMES = Object.keys(BUS_MESSAGES);

/** Publishes the messages whose names arrive on standard input. Prints a line after each. */
function node(url) {
  const redis = new Redis(url);
  let number = 0;
  createInterface({ input: process.stdin }).on('line', async (name) => {
    number += 1;
    const message = `[1,${number},${Date.now()},${BUS_MESSAGES[name]()}]`;
    await redis.publish('swarmlens:{other}:changes', `2 - hostile ${Date.now()} ${number} ${message}`);
    process.stdout.write(`${name}\n`);
  });
}

/** Sends the operations whose names arrive on standard input. Prints a line after each. */
function client(url, transport) {
  createInterface({ input: process.stdin }).on('line', async (name) => {
    await SENDERS[transport](url, OPERATIONS[name]());
    process.stdout.write(`${name}\n`);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  PROGRAMS[process.argv[2]](...process.argv.slice(3));
  // The parent kills this program; it ends by itself if the parent is gone.
  setTimeout(() => process.exit(1), 600_000).unref();
}

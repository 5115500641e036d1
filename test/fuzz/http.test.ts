import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentsDocument, AgentUpdatesDocument, HealthDocument } from '../../src/client/index.js';
import { assertMasked } from '../support/answers.js';
import { garbage, hostileValue, mutatedJson, mutatedText, runs } from '../support/hostile.js';
import { fuzzedServer } from './server.js';

const fuzzed = fuzzedServer();

interface RawRequest {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The length that it says is that of the body. */
  readonly isWhole?: boolean;
}

interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** What the server writes until it closes the connection, or until the first event of a stream; `null`: nothing. */
async function send({ line, headers, body, isWhole = false }: RawRequest): Promise<RawAnswer | null> {
  const { hostname, port } = new URL(fuzzed().server.url);
  const socket = connect(Number(port), hostname);
  // Who is refused before all of a body is read may be cut off, which `once` of node:events takes for a failure.
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    // A stream, or a socket that was let in, does not end by itself.
    if (/^HTTP\/1\.1 101 |^content-type: (text\/event-stream|multipart\/mixed)/im.test(text)) socket.destroy();
  });
  socket.write(`${[line, ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`, 'latin1');
  socket.write(body);
  // Where the head says something of the body, the server may wait for more of it.
  if (!isWhole && headers.some((header) => /^(content-length|transfer-encoding|expect):/i.test(header))) socket.end();
  await closed;
  if (text === '') return null;
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  expect(status, text.slice(0, 100)).toBeGreaterThanOrEqual(101);
  return { status, body: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

function assertAnswered(answer: RawAnswer | null): void {
  if (answer === null) return;
  expect(answer.status, answer.body).not.toBe(500);
  expect(answer.body).not.toMatch(/node_modules|at \w+ \(|TypeError|is not a function/);
  const json = /\{"errors":.*\}/s.exec(answer.body)?.[0];
  if (json !== undefined) assertMasked((JSON.parse(json) as { errors: unknown }).errors); // GraphQL over HTTP
}

async function assertServesNext(): Promise<void> {
  const next = await send(post(Buffer.from('{"query":"{ agents { id } }"}'), ['Content-Type: application/json']));
  expect(next?.status).toBe(200);
  expect(next?.body).toContain('"x:2"');
}

function post(body: Buffer, headers: readonly string[], path = '/graphql'): RawRequest {
  const { host } = new URL(fuzzed().server.url);
  const all = [`Host: ${host}`, ...headers, `Content-Length: ${body.length}`];
  return { line: `POST ${path} HTTP/1.1`, headers: all, body, isWhole: true };
}

async function assertQuiet(): Promise<void> {
  await assertServesNext();
  expect(fuzzed().server.errors).toEqual([]);
  expect(fuzzed().log.filter(({ level }) => level === 'error')).toEqual([]);
}

const TEXTS: readonly string[] = [AgentsDocument, HealthDocument, AgentUpdatesDocument];
const VARIABLES = { serverTypes: ['DAA'], swarmIds: ['x:s'], mode: 'NORMAL', after: 'x' };

const bodies = fc.oneof(
  fc
    .constantFrom(...TEXTS)
    .map((query) => ({ query, variables: VARIABLES, operationName: 'Agents', extensions: {} }))
    .chain(mutatedJson)
    .map((text) => Buffer.from(text)),
  fc
    .constantFrom(...TEXTS)
    .chain(mutatedText)
    .map((query) => Buffer.from(JSON.stringify({ query }))),
  fc
    .dictionary(
      fc.constantFrom('query', 'variables', 'operationName', 'extensions', 'documentId', '__proto__'),
      hostileValue,
    )
    .map((one) => Buffer.from(JSON.stringify(one))),
  garbage,
);

const ACCEPTED = [
  '*/*',
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  'multipart/mixed',
];

test('whatever body is posted, the answer tells the client its mistake, and the next is served', async () => {
  await fc.assert(
    fc.asyncProperty(bodies, fc.constantFrom(...ACCEPTED), async (body, accept) => {
      const answer = await send(post(body, ['Content-Type: application/json', `Accept: ${accept}`]));
      expect(answer).not.toBeNull();
      assertAnswered(answer);
    }),
    runs(150),
  );
  await assertQuiet();
});

/** Bytes that may stand in a line of the head. */
const word = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 30 }),
  fc.constantFrom(
    '',
    '//',
    '*',
    '%',
    '%00',
    '%E0%A4%A',
    'http://[',
    '[::1',
    ':',
    '../..',
    '__proto__',
    'a'.repeat(5_000),
  ),
);
const paths = fc
  .oneof(
    word,
    word.map((text) => `/${text}`),
    fc.constantFrom(
      '/graphql',
      '/tap',
      '/healthz',
      '/',
      '//',
      '///x',
      '//:0',
      'http://[/graphql',
      '/assets/..%2f..%2fpackage.json',
    ),
    fc
      .tuple(fc.constantFrom('query', 'variables', 'extensions', 'documentId', 'token', 'server'), word)
      .map(([name, text]) => `/graphql?${name}=${text}`),
    word.map((text) => `/tap?server=${text}&instance=${text}`),
  )
  .filter((path) => path !== '');
const HEADERS = [
  ...[
    'Accept',
    'Accept-Encoding',
    'Authorization',
    'Content-Encoding',
    'Content-Type',
    'Cookie',
    'Expect',
    'Host',
    'Origin',
  ],
  ...['Content-Length', 'Transfer-Encoding', 'Range', 'Sec-Fetch-Site', 'X-Forwarded-For', 'x-request-id'],
  ...['Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions'],
];
const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

test('whatever a request or an upgrade asks for, in whatever head, it is answered or cut off, and the next is served', async () => {
  const { host } = new URL(fuzzed().server.url);
  const requests = fc.record({
    method: fc.oneof({ weight: 5, arbitrary: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'TRACE') }, word),
    path: paths,
    headers: fc.array(fc.tuple(fc.constantFrom(...HEADERS), word), { maxLength: 4 }),
    upgrades: fc.boolean(),
    body: garbage,
  });
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, path, headers, upgrades, body }) => {
      const lines = [
        `Host: ${host}`,
        ...(upgrades ? UPGRADE : []),
        ...headers.map(([name, value]) => `${name}: ${value}`),
      ];
      assertAnswered(await send({ line: `${method} ${path} HTTP/1.1`, headers: lines, body }));
    }),
    runs(300),
  );
  await assertQuiet();
});

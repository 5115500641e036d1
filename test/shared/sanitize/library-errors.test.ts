import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { inspect } from 'node:util';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Redis } from 'ioredis';
import { importPKCS8, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { formatFatalError } from '../../../src/cli/process-output.js';
import { errorMessage } from '../../../src/shared/index.js';
import {
  collectSecrets,
  protectSecrets,
  redact,
  REDACTED,
  sanitizeJsonText,
} from '../../../src/shared/sanitize/index.js';

/** Secret that no pattern recognizes. */
const SECRET = 'kestrel-7 "of" nine';
const HEADER = `Bearer ${SECRET}`;
const TOKEN = 'kestrel-7-of-nine';
/** Longer than a label of a host name may be, so that no request leaves this machine. */
const HOST = `kestrel-7-${'x'.repeat(64)}.example.test`;

/** Answers every request with its own headers and path. */
const echo = createHttpServer((request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: 'rejected', path: request.url, headers: request.headers }));
});
/** Answers every command of a Redis client with an error that repeats it. */
const redisEcho = createServer((socket) => {
  socket.on('data', (chunk) => socket.write(`-ERR rejected ${chunk.toString().replaceAll(/\r?\n/g, ' ')}\r\n`));
  socket.on('error', () => undefined);
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port; // of a listening TCP server
}

beforeAll(async () => {
  for (const server of [echo, redisEcho]) await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(() => {
  echo.closeAllConnections();
  echo.close();
  redisEcho.close();
});

async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    return error;
  }
}

async function eventOf(emitter: NodeJS.EventEmitter, name: string): Promise<unknown> {
  return new Promise((resolve) => emitter.once(name, resolve));
}

/** Errors and texts of libraries that repeat a configured value. */
const SOURCES: readonly (readonly [name: string, provoke: () => Promise<unknown>])[] = [
  [
    'fetch with an invalid header value',
    () => failureOf(() => fetch('http://127.0.0.1', { headers: { a: `${HEADER}\n\0` } })),
  ],
  ['fetch with an invalid header name', () => failureOf(() => new Headers([[SECRET, 'x']]))],
  ['fetch with an invalid URL', () => failureOf(() => fetch(`http://${SECRET}`))],
  [
    'fetch with credentials in the URL',
    () => failureOf(() => fetch(`http://ann:${encodeURIComponent(SECRET)}@127.0.0.1`)),
  ],
  ['fetch of an unknown host', () => failureOf(() => fetch(`http://${HOST}/mcp`))],
  [
    'fetch of a server that repeats the request',
    async () => (await fetch(echoUrl(), { headers: { 'x-key': HEADER } })).text(),
  ],
  ['JSON.parse of a text that begins with a secret', () => failureOf(() => JSON.parse(HEADER))],
  [
    'JSON.parse of a text that contains a secret',
    () => failureOf(() => JSON.parse(`{"message": ${HEADER}, "and": "more text"}`)),
  ],
  ['URL', () => failureOf(() => new URL(SECRET))],
  ['spawn of a missing command', () => eventOf(spawn('/missing/command', ['--key', SECRET]), 'error')],
  ['spawn with a NUL character', () => failureOf(() => spawn('true', [], { env: { KEY: `${SECRET}\0` } }))],
  ['ws with an invalid URL', () => failureOf(() => new WebSocket(`ws://${SECRET}`))],
  ['ws with an unknown host', () => eventOf(new WebSocket(`ws://${HOST}/mcp`), 'error')],
  ['ws with an invalid protocol', () => failureOf(() => new WebSocket('ws://127.0.0.1', SECRET))],
  [
    'ws with a rejected handshake',
    async () => {
      const socket = new WebSocket(echoUrl().replace('http', 'ws'), { headers: { 'x-key': HEADER } });
      socket.on('error', () => undefined);
      const [request, response] = (await once(socket, 'unexpected-response')) as [
        { getHeaders(): unknown },
        IncomingMessage,
      ]; // documented
      response.destroy();
      return [request.getHeaders(), response.statusCode];
    },
  ],
  ['ioredis with a rejected password', () => redisFailure({ port: portOf(redisEcho), password: TOKEN })],
  ['ioredis with an unknown host', () => redisFailure({ host: HOST, port: 6_379 })],
  [
    'ioredis with a rejected command',
    () => redisFailure({ port: portOf(redisEcho), lazyConnect: true }, ['AUTH', TOKEN]),
  ],
  ['jose with an invalid key', () => failureOf(() => importPKCS8(SECRET, 'RS256'))],
  ['jose with a rejected token', () => failureOf(() => jwtVerify(`${TOKEN}.a.b`, Buffer.from(SECRET.repeat(2))))],
  [
    'the OTLP exporter with headers',
    () => {
      const exporter = new OTLPTraceExporter({ url: echoUrl(), headers: { 'x-key': TOKEN }, timeoutMillis: 60_000 });
      return new Promise((resolve) => exporter.export([], ({ error }) => resolve(error ?? null)));
    },
  ],
  [
    'a child process that prints its environment and arguments',
    async () => {
      const script =
        'console.error(process.env, process.argv, JSON.stringify(process.env.KEY), encodeURIComponent(process.env.KEY))';
      const child = spawn(process.execPath, ['--eval', script, '--', SECRET], { env: { KEY: SECRET } });
      return (await child.stderr.toArray()).join('');
    },
  ],
];

function echoUrl(): string {
  return `http://127.0.0.1:${portOf(echo)}/mcp/${encodeURIComponent(SECRET)}?key=${encodeURIComponent(SECRET)}`;
}

async function redisFailure(options: object, command: readonly string[] = []): Promise<unknown> {
  const client = new Redis({
    host: '127.0.0.1',
    retryStrategy: () => null,
    enableReadyCheck: false,
    disableClientInfo: true,
    ...options,
  });
  try {
    if (command.length === 0) return await eventOf(client, 'error');
    const [name = '', ...args] = command;
    return await failureOf(() => client.call(name, ...args));
  } finally {
    client.disconnect();
  }
}

/** Configuration with the secrets, as `loadConfig` returns it. */
const CONFIG = {
  variables: new Map([['TENANT_HOST', HOST]]),
  servers: [{ endpoint: { headers: { 'x-key': HEADER }, env: { KEY: SECRET }, args: ['--key', TOKEN] } }],
};

/** Parts of the secrets in plain and encoded form. */
const PARTS = ['kestrel-7', 'of\\" nine', 'of%22%20nine', Buffer.from(SECRET).toString('base64').slice(4, 20)];

function partsIn(text: string): string[] {
  return PARTS.filter((part) => text.includes(part));
}

/** Every text that the program could write about an error. */
function textsOf(failure: unknown): string[] {
  const details = inspect(failure, { depth: null, showHidden: true, maxStringLength: null });
  const { message = '', stack = '' } = failure instanceof Error ? failure : {};
  return [details, message, stack, JSON.stringify([failure])];
}

describe('errors of libraries', () => {
  test.each(SOURCES)('%s: no output contains the secret', async (_name, provoke) => {
    const failure = await provoke();
    using _secrets = protectSecrets(collectSecrets(CONFIG));
    const clean = [
      ...textsOf(failure).map((text) => redact(text)),
      ...textsOf(failure).map((text) => JSON.stringify(sanitizeJsonText(JSON.stringify({ text })).value)),
      formatFatalError(failure),
      errorMessage(failure),
    ];
    expect(clean.flatMap(partsIn)).toEqual([]);
  });

  test('most of these errors contain the secret before it is removed', async () => {
    const failures = await Promise.all(SOURCES.map(async ([name, provoke]) => [name, await provoke()] as const));
    const leaking = failures.filter(([, failure]) => textsOf(failure).some((text) => partsIn(text).length > 0));
    expect(leaking.length).toBeGreaterThan(SOURCES.length / 2);
    expect(leaking.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'fetch with an invalid header value',
        'fetch with credentials in the URL',
        'fetch of an unknown host',
        'fetch of a server that repeats the request',
        'spawn of a missing command',
        'spawn with a NUL character',
        'ws with an invalid URL',
        'ws with a rejected handshake',
        'ioredis with a rejected command',
        'the OTLP exporter with headers',
        'a child process that prints its environment and arguments',
      ]),
    );
    expect(redact(SECRET)).not.toContain(REDACTED);
  });
});

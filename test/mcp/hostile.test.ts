import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { ChangeReaction } from '../../src/mcp/change-reaction.js';
import { RequestLimitTransport } from '../../src/mcp/compatibility/request-limit-transport.js';
import { connectSession, type EndpointConfig, ToolRejectedError, TransportError } from '../../src/mcp/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { ManualClock, settled } from '../support/manual-clock.js';
import { ChangeNotifier } from '../support/wait.js';
import { call, connectOptions, endpointOf, outcomeOf } from './support.js';

const HOUR_MS = 3_600_000;

/** Streamable HTTP server whose event streams end at once. */
class EndingStreams implements AsyncDisposable {
  /** Times of the GET requests on the clock of the client. */
  readonly streams: number[] = [];
  readonly #changes = new ChangeNotifier();
  readonly #server: Server;

  /** @param eventsOf returns the text of a stream by its index; null rejects it with HTTP 503 and `Retry-After: 600` */
  private constructor(clock: Clock, eventsOf: (index: number) => string | null) {
    this.#server = createServer((request, response) => {
      if (request.method === 'GET') {
        const events = eventsOf(this.streams.length);
        this.streams.push(clock.monotonic());
        if (events === null) response.writeHead(503, { 'retry-after': '600' }).end();
        else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events);
        this.#changes.notify();
        return;
      }
      readText(request)
        .then((body) => {
          const { id, method } = JSON.parse(body) as { id?: string; method: string }; // of the client under test
          const result = {
            initialize: {
              protocolVersion: '2025-06-18',
              capabilities: { tools: {} },
              serverInfo: { name: 'ending', version: '1' },
            },
            'tools/list': { tools: [] },
          }[method];
          if (id === undefined) response.writeHead(202).end();
          else if (result === undefined) response.writeHead(404).end();
          else
            response
              .writeHead(200, { 'content-type': 'application/json' })
              .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
        })
        .catch(() => response.destroy());
    });
  }

  static async start(clock: Clock, eventsOf: (index: number) => string | null): Promise<EndingStreams> {
    const server = new EndingStreams(clock, eventsOf);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): EndpointConfig {
    const { port } = this.#server.address() as AddressInfo; // of a listening TCP server
    return { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} };
  }

  async until(count: number): Promise<void> {
    await this.#changes.until(() => this.streams.length >= count, { state: () => this.streams });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Manual clock that also notifies about scheduled callbacks. */
class WatchedClock extends ManualClock {
  readonly #changes = new ChangeNotifier();

  override schedule(delayMs: number, callback: () => void): Disposable {
    const timer = super.schedule(delayMs, callback);
    this.#changes.notify();
    return timer;
  }

  /** Resolves when a callback is scheduled. */
  async untilScheduled(): Promise<void> {
    await this.#changes.until(() => this.pending > 0, { state: () => this.pending });
  }
}

describe('server whose event streams end at once', () => {
  /** Advances the clock until the server has received the given number of GET requests. */
  const openStreams = async (server: EndingStreams, clock: WatchedClock, total: number): Promise<void> => {
    await server.until(1);
    for (let count = 2; count <= total; count += 1) {
      await clock.untilScheduled();
      while (server.streams.length < count) {
        // The request of a callback arrives some turns of the event loop later.
        if (clock.pending > 0) clock.advance(1_000);
        await settled();
      }
    }
  };

  test.each([
    ['without a delay', ''],
    ['with a stated delay of 0', 'retry: 0\nid: 1\ndata:\n\n'],
    ['with a stated delay of a year', `retry: ${365 * 24 * HOUR_MS}\nid: 1\ndata:\n\n`],
  ])('gets fewer and fewer GET requests (%s)', async (_description, events) => {
    const clock = new WatchedClock();
    await using server = await EndingStreams.start(clock, () => events);
    await using _session = await connectSession(server.endpoint, connectOptions({ clock }));
    await openStreams(server, clock, 12);
    const [first = 0] = server.streams;
    const lastMs = (server.streams.at(-1) ?? 0) - first;
    // Once per second would take 11 seconds.
    expect(lastMs).toBeGreaterThan(600_000);
    // The server cannot stop the streams either.
    expect(lastMs).toBeLessThanOrEqual(11 * 301_000);
  });

  test('is asked for a stream no earlier than Retry-After states', async () => {
    const clock = new WatchedClock();
    await using server = await EndingStreams.start(clock, (index) => (index === 1 ? null : 'id: 1\ndata:\n\n'));
    await using _session = await connectSession(server.endpoint, connectOptions({ clock }));
    await openStreams(server, clock, 3);
    const [, second = 0, third = 0] = server.streams;
    expect(third - second).toBeGreaterThanOrEqual(600_000);
  });
});

describe('ChangeReaction', () => {
  test('reacts fewer and fewer times to changes that never stop', async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    let reactions = 0;
    const reaction = new ChangeReaction({
      clock,
      signal,
      react: () => {
        reactions += 1;
        // The server reports a change on each listing.
        reaction.trigger();
        return Promise.resolve();
      },
    });
    reaction.trigger();
    await clock.pass(60_000, 500);
    expect(reactions).toBeLessThanOrEqual(7);
    await clock.pass(HOUR_MS, 5_000);
    expect(reactions).toBeLessThanOrEqual(70);
  });

  test('reacts at once to a change after a quiet time, and once to many changes', async () => {
    const clock = new ManualClock();
    let reactions = 0;
    const reaction = new ChangeReaction({
      clock,
      signal: new AbortController().signal,
      react: () => Promise.resolve(void (reactions += 1)),
    });
    for (let round = 1; round <= 10; round += 1) {
      reaction.trigger();
      await settled();
      expect(reactions).toBe(round);
      await clock.pass(180_000, 60_000);
    }
    for (let change = 0; change < 1_000; change += 1) reaction.trigger();
    await clock.pass(500, 100);
    expect(reactions).toBeLessThanOrEqual(12);
  });

  test('pauses for as long as the server requests', async () => {
    const clock = new ManualClock();
    let reactions = 0;
    const reaction = new ChangeReaction({
      clock,
      signal: new AbortController().signal,
      react: () => {
        reactions += 1;
        return Promise.reject(new ToolRejectedError('busy', 429, 600_000));
      },
    });
    reaction.trigger();
    await clock.pass(599_000, 1_000);
    expect(reactions).toBe(1);
    await clock.pass(2_000, 1_000);
    expect(reactions).toBe(2);
  });
});

/** Transport that sends nothing. */
function silentTransport(): Transport {
  return {
    start: () => Promise.resolve(),
    send: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

describe('RequestLimitTransport', () => {
  test('answers at most ten requests of the server per second, and counts the others', () => {
    const clock = new ManualClock();
    const inner = silentTransport();
    const transport = new RequestLimitTransport(inner, clock);
    const received: JSONRPCMessage[] = [];
    let dropped = 0;
    transport.onmessage = (message) => received.push(message);
    transport.onerror = () => (dropped += 1);
    const flood = (count: number): void => {
      for (let id = 0; id < count; id += 1) {
        const method = ['ping', 'roots/list', 'sampling/createMessage', 'elicitation/create'][id % 4] ?? '';
        inner.onmessage?.({ jsonrpc: '2.0', id, method });
      }
    };
    flood(10_000);
    expect(received).toHaveLength(10);
    expect(dropped).toBe(9_990);
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1_000);
      flood(1_000);
    }
    expect(received).toHaveLength(610);
    inner.onmessage?.({ jsonrpc: '2.0', id: 1, result: {} });
    inner.onmessage?.({ jsonrpc: '2.0', method: 'notifications/message' });
    expect(received).toHaveLength(612);
  });
});

describe('RequestLimitTransport with some requests at once', () => {
  test('answers them in order, as fast as the limit allows', () => {
    const clock = new ManualClock();
    const inner = silentTransport();
    const transport = new RequestLimitTransport(inner, clock);
    const received: unknown[] = [];
    transport.onmessage = (message) => received.push('id' in message ? message.id : null);
    for (let id = 0; id < 30; id += 1) inner.onmessage?.({ jsonrpc: '2.0', id, method: 'roots/list' });
    const ids = Array.from({ length: 30 }, (_, id) => id);
    expect(received).toEqual(ids.slice(0, 10));
    clock.advance(1_000);
    expect(received).toEqual(ids.slice(0, 20));
    clock.advance(1_000);
    expect(received).toEqual(ids);
  });

  test('drops the waiting ones when it is closed', async () => {
    const clock = new ManualClock();
    const inner = silentTransport();
    const transport = new RequestLimitTransport(inner, clock);
    let received = 0;
    transport.onmessage = () => (received += 1);
    for (let id = 0; id < 30; id += 1) inner.onmessage?.({ jsonrpc: '2.0', id, method: 'roots/list' });
    await transport.close();
    clock.advance(10_000);
    expect(received).toBe(10);
  });
});

describe('session with a server that floods', () => {
  test('answers few of its requests and still calls tools', async () => {
    // The clock stands still, so that no further answers are allowed.
    const clock: Clock = { ...systemClock, monotonic: () => 0 };
    await using session = await connectSession(endpointOf('flood'), connectOptions({ clock }));
    expect((await call(session, 'flood', { count: 2_000 })).value).toBe('flooded');
    expect((await call(session, 'answers')).value).toBeLessThanOrEqual(10);
  });
});

describe('session over HTTP with Retry-After', () => {
  /** Returns the outcome of a handshake that is answered with a status and headers. */
  const outcomeFor = async (status: number, retryAfter: string): Promise<unknown> => {
    const server = createServer((_request, response) =>
      response.writeHead(status, { 'retry-after': retryAfter }).end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo; // of a listening TCP server
      const endpoint: EndpointConfig = { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {} };
      return await outcomeOf(connectSession(endpoint, connectOptions()));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };

  test.each([
    [429, '30', 30_000],
    [503, '30', 30_000],
    [429, '99999999', HOUR_MS],
    [503, 'Fri, 01 Jan 2100 00:00:00 GMT', HOUR_MS],
  ])('reports the requested pause of HTTP %i with %s, up to one hour', async (status, retryAfter, expectedMs) => {
    const outcome = await outcomeFor(status, retryAfter);
    expect(outcome).toBeInstanceOf(TransportError);
    expect(outcome).toMatchObject({ cause: { retryAfterMs: expectedMs } });
  });
});

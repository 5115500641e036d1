import { describe, expect, test } from 'vitest';
import { connectSession, EndpointMemory, type McpSession, type SessionEvent } from '../../src/mcp/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { ChangeNotifier, waitUntil } from '../support/wait.js';
import { EraHttpServer, type ServerEra } from './era-http-server.js';
import { call, CALL, connectOptions, endpointOf, outcomeOf, recordingLogger } from './support.js';

const ERAS: readonly ServerEra[] = ['modern', 'dual', 'legacy'];
/** Clock on which a version probe waits for its answer, because a process may start slowly. */
const patient: Clock = {
  ...systemClock,
  schedule: (delayMs, callback) =>
    delayMs === 3_000 ? { [Symbol.dispose]: () => undefined } : systemClock.schedule(delayMs, callback),
};
const USED = { modern: 'modern', dual: 'modern', legacy: 'legacy' } as const;

/** Records the methods of notifications. */
function recordEvents(
  session: McpSession,
): { readonly methods: readonly string[]; readonly until: (method: string) => Promise<void> } & Disposable {
  const methods: string[] = [];
  const changes = new ChangeNotifier();
  const subscription = session.onEvent((event: SessionEvent) => {
    if (event.kind === 'NOTIFICATION') methods.push(event.method);
    changes.notify();
  });
  return {
    methods,
    until: (method) => changes.until(() => methods.includes(method), { state: () => methods }),
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

describe.each(ERAS)('session with a %s server over stdio', (era) => {
  test('uses the newest common version in one process', async () => {
    const memory = new EndpointMemory();
    await using session = await connectSession(endpointOf('eras', era), connectOptions({ memory, clock: patient }));
    expect(session.identity).toMatchObject({ name: `${era} server`, version: '1' });
    expect((await call(session, 'era')).value).toMatchObject({ era: USED[era], pid: session.pid });
    expect(memory.era).toBe(USED[era].toUpperCase());
    await session.ping(CALL);
  });

  test('receives changes of resources and tools', async () => {
    let changedCount = 0;
    const options = connectOptions({
      clock: patient,
      watchesResources: () => true,
      onToolsChanged: () => (changedCount += 1),
    });
    await using session = await connectSession(endpointOf('eras', era), options);
    using events = recordEvents(session);
    // A change before the subscription is not reported.
    const changes = async (tool: string, isReported: () => boolean): Promise<void> => {
      const isReportedAfterCall = async (): Promise<boolean> => {
        await call(session, tool);
        return isReported();
      };
      await waitUntil(isReportedAfterCall, { state: () => `no effect of "${tool}"` });
    };
    await changes('change', () => events.methods.includes('notifications/resources/updated'));
    await changes('change tools', () => changedCount > 0);
  });
});

describe.each(ERAS)('session with a %s server over HTTP', (era) => {
  test('uses the newest common version', async () => {
    await using server = await EraHttpServer.start(era);
    const memory = new EndpointMemory();
    await using session = await connectSession(server.endpoint, connectOptions({ memory }));
    expect(session.identity).toMatchObject({ name: `${era} server`, version: '1' });
    expect((await call(session, 'era')).value).toBe(USED[era]);
    expect(memory.era).toBe(USED[era].toUpperCase());
    expect(server.received.includes('initialize')).toBe(era === 'legacy');
    await session.ping(CALL);
  });
});

describe('session over HTTP', () => {
  test('learns that a server has moved to 2026-07-28', async () => {
    await using server = await EraHttpServer.start('modern');
    const memory = new EndpointMemory();
    memory.era = 'LEGACY';
    await using session = await connectSession(server.endpoint, connectOptions({ memory }));
    expect((await call(session, 'era')).value).toBe('modern');
    expect(memory.era).toBe('MODERN');
  });
});

describe.each(['modern', 'dual'] as const)('subscription to a %s server over HTTP', (era) => {
  test('delivers changes and is opened again when it ends', async () => {
    await using server = await EraHttpServer.start(era);
    let changedCount = 0;
    const options = connectOptions({ watchesResources: () => true, onToolsChanged: () => (changedCount += 1) });
    await using session = await connectSession(server.endpoint, options);
    using events = recordEvents(session);
    const listens = (): number => server.received.filter((method) => method === 'subscriptions/listen').length;
    await waitUntil(() => listens() === 1, { state: () => server.received });
    server.changeTools();
    await waitUntil(() => (server.changeTools(), changedCount > 0), { state: () => changedCount });
    server.changeResource();
    await events.until('notifications/resources/updated');
    server.dropConnections();
    await waitUntil(() => listens() === 2, { state: () => server.received });
  });
});

describe('session with a server that does not know server/discover', () => {
  /** Connects and returns the lines of standard error. */
  const connectTo = async (
    behavior: string,
    { memory = new EndpointMemory(), clock = systemClock }: { memory?: EndpointMemory; clock?: Clock } = {},
    onLine: (line: string) => void = () => undefined,
  ): Promise<{ session: McpSession; starts: () => number }> => {
    const { logger, lines } = recordingLogger();
    let starts = 0;
    lines.push = ({ fields }) => {
      const line = String(fields['line']);
      if (line === 'started') starts += 1;
      onLine(line);
      return 1;
    };
    const options = connectOptions({ logger, memory, clock, connectTimeoutMs: 1_000_000 });
    const session = await connectSession(endpointOf('fragile', behavior), options);
    return { session, starts: () => starts };
  };
  /** Clock on which a probe is given up at once. */
  const impatient: Clock = {
    ...systemClock,
    schedule: (delayMs, callback) => systemClock.schedule(delayMs === 3_000 ? 0 : delayMs, callback),
  };

  test.each(['ignores', 'misleads', 'answers without an id', 'rejects'])(
    'reaches a server that %s the request in the same process',
    async (behavior) => {
      const { session, starts } = await connectTo(behavior, { clock: impatient });
      await using _session = session;
      expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
      expect(starts()).toBe(1);
    },
  );

  test('starts a server again that exits, and sends it initialize only from then on', async () => {
    const memory = new EndpointMemory();
    {
      const { session, starts } = await connectTo('exits', { memory });
      await using _session = session;
      expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
      expect(starts()).toBe(2);
    }
    const { session, starts } = await connectTo('exits', { memory });
    await using _session = session;
    expect(starts()).toBe(1);
  });

  test('starts a server again that hangs, after the timeout since its last output', async () => {
    const clock = new ManualClock();
    const { session, starts } = await connectTo('hangs', { clock }, (line) => {
      if (line === 'hanging') clock.advance(1_000_000);
    });
    await using _session = session;
    expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
    expect(starts()).toBe(2);
  });

  test('starts a server again that hangs without any output, after half of the timeout', async () => {
    const manual = new ManualClock();
    const clock: Clock = {
      now: () => manual.now(),
      monotonic: () => manual.monotonic(),
      schedule: (delayMs, callback) => {
        const timer = manual.schedule(delayMs, callback);
        // The probe has been sent.
        if (delayMs === 3_000) manual.advance(500_000);
        return timer;
      },
    };
    const memory = new EndpointMemory();
    const { session, starts } = await connectTo('hangs silently', { memory, clock });
    await using _session = session;
    expect((await call(session, 'echo', { a: 1 })).value).toEqual({ a: 1 });
    expect(memory.era).toBe('LEGACY');
    expect(starts()).toBe(0);
    expect(manual.monotonic()).toBe(500_000);
  });

  test('learns that a server has moved to 2026-07-28', async () => {
    const memory = new EndpointMemory();
    memory.era = 'LEGACY';
    await using session = await connectSession(endpointOf('eras', 'modern'), connectOptions({ memory }));
    expect((await call(session, 'era')).value).toMatchObject({ era: 'modern' });
    expect(memory.era).toBe('MODERN');
  });

  test('learns that a server has returned to an older version', async () => {
    const memory = new EndpointMemory();
    memory.era = 'MODERN';
    await using session = await connectSession(endpointOf('eras', 'legacy'), connectOptions({ memory }));
    expect((await call(session, 'era')).value).toMatchObject({ era: 'legacy' });
    expect(memory.era).toBe('LEGACY');
  });
});

describe('session with a server of unknown versions', () => {
  test.each([
    ['future', '2031-05-01, 2030-01-01'],
    ['rejects as future', '2031-05-01'],
    ['past', '2023-01-01'],
  ])('fails with the versions of the server (%s)', async (behavior, versions) => {
    const outcome = await outcomeOf(connectSession(endpointOf('fragile', behavior), connectOptions()));
    expect(String(outcome)).toContain(
      `the server supports only the MCP versions ${versions}, and swarmlens only 2026-07-28, 2025-11-25,`,
    );
  });
});

import { describe, expect, test } from 'vitest';
import {
  type ConnectOptions,
  connectSession,
  ConnectTimeoutError,
  type McpSession,
  SessionClosedError,
  type StdioEndpoint,
  TransportError,
} from '../../src/mcp/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  call,
  connect,
  connectOptions,
  ended,
  endpointOf,
  hurriedClock,
  isAlive,
  type LogLine,
  outcomeOf,
  recordingLogger,
  serverPath,
} from './support.js';

function pidOf(session: { pid: number | null }): number {
  if (session.pid === null) throw new Error('no child');
  return session.pid;
}

/** Returns the id of the process that a launcher started. */
async function serverPid(session: Parameters<typeof call>[0]): Promise<number> {
  return Number((await call(session, 'pid')).value);
}

describe('connectSession with an unusable server', () => {
  const failure = async (endpoint: StdioEndpoint): Promise<string> => {
    const outcome = await outcomeOf(connectSession(endpoint, connectOptions()));
    expect(outcome).toBeInstanceOf(TransportError);
    return outcome instanceof Error ? outcome.message : '';
  };
  const where = `command "${process.execPath}" in ${process.cwd()}`;

  test('reports the command when it does not exist', async () => {
    const endpoint = { ...endpointOf('plain'), command: 'swarmlens-no-such-command' };
    expect(await failure(endpoint)).toBe(`command not found: swarmlens-no-such-command (in ${process.cwd()})`);
  });

  test('reports the directory when it does not exist', async () => {
    const endpoint = { ...endpointOf('plain'), cwd: '/no/such/directory' };
    expect(await failure(endpoint)).toBe(`command "${process.execPath}": no such directory: /no/such/directory`);
  });

  test('quotes standard error without control characters when the process ends immediately', async () => {
    expect(await failure(endpointOf('dying', '--token=secret'))).toBe(
      `${where}: the process ended with exit code 7 (stderr: first | second | Cannot find module "x")`,
    );
  });

  /** Connects on a manual clock to a server that never answers, and calls `onOutput` for each line of standard error. */
  const connectOnManualClock = (
    server: readonly [name: string, ...args: string[]],
    limits: Pick<ConnectOptions, 'connectTimeoutMs' | 'maxConnectMs'>,
    onOutput: (clock: ManualClock) => void,
  ): Promise<unknown> => {
    const clock = new ManualClock();
    const { logger, lines } = recordingLogger();
    // The output is recorded as progress before it is logged.
    lines.push = () => (onOutput(clock), 1);
    return outcomeOf(connectSession(endpointOf(...server), connectOptions({ clock, logger, ...limits })));
  };
  const ADVICE =
    'if it installs packages, raise "connectTimeoutMs" under "swarmlens" of the server, or install them beforehand';

  test('fails after the timeout when the server never answers, and names the option', async () => {
    const outcome = await connectOnManualClock(['mute'], { connectTimeoutMs: 100_000 }, (clock) =>
      clock.advance(100_000),
    );
    expect(outcome).toEqual(
      new ConnectTimeoutError(`${where}: no answer within 100000 ms – ${ADVICE} (stderr: waiting for something)`),
    );
  });

  test.each([
    { limits: { connectTimeoutMs: 1_000, maxConnectMs: 60_000 }, stepMs: 900 },
    { limits: { connectTimeoutMs: 100_000, maxConnectMs: 6_000_000 }, stepMs: 90_000 },
  ])('waits for a server that writes to standard error every $stepMs ms, and then connects', async (example) => {
    let lines = 0;
    const outcome = await connectOnManualClock(['late', '20'], example.limits, (clock) => {
      lines += 1;
      clock.advance(example.stepMs);
    });
    await using session = outcome as McpSession; // fails below otherwise
    expect(session.tools.map(({ name }) => name)).toEqual(['late']);
    // Started once.
    expect(lines).toBe(20);
  });

  test('fails after the maximum duration although the server writes to standard error', async () => {
    const outcome = await connectOnManualClock(
      ['late', 'Infinity'],
      { connectTimeoutMs: 1_000, maxConnectMs: 5_000 },
      (clock) => clock.advance(900),
    );
    expect(String(outcome)).toContain(`no answer within 5000 ms – ${ADVICE} (stderr: installing`);
  });

  test('does not extend the attempt without a version probe when the maximum duration has passed', async () => {
    const outcome = await connectOnManualClock(
      ['late', 'Infinity'],
      { connectTimeoutMs: 10_000, maxConnectMs: 50_000 },
      (clock) => clock.advance(9_000),
    );
    expect(String(outcome)).toContain(`no answer within 10000 ms – ${ADVICE}`);
  });

  test('fails after the timeout since the last output', async () => {
    let lines = 0;
    const outcome = await connectOnManualClock(
      ['late', 'Infinity'],
      { connectTimeoutMs: 1_000, maxConnectMs: 60_000 },
      (clock) => {
        lines += 1;
        clock.advance(lines < 3 ? 900 : 1_000);
      },
    );
    expect(String(outcome)).toContain(`no answer within 1000 ms after its last output – ${ADVICE}`);
  });

  test('reports an invalid initialize result', async () => {
    expect(await failure(endpointOf('wrong'))).toMatch(/: Invalid result for initialize/);
  });

  test('reports a tool list with more than 100 pages', async () => {
    expect(await failure(endpointOf('paged', 'endless'))).toMatch(/the tool list does not end after 100 pages$/);
  });
});

describe('connectSession with an aborted signal', () => {
  /** Connects to a child that prints its id to standard error, which is logged. */
  const connecting = (signal: AbortSignal): { pid: Promise<number>; outcome: Promise<unknown> } => {
    const { logger, lines } = recordingLogger();
    const pid = new Promise<number>((resolve) => {
      lines.push = (line: LogLine): number => (resolve(Number(line.fields['line'])), 1);
    });
    const script = 'console.error(process.pid); process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)';
    const endpoint: StdioEndpoint = { ...endpointOf('mute'), args: ['-e', script] };
    const options = connectOptions({ signal, logger, clock: hurriedClock });
    return { pid, outcome: outcomeOf(connectSession(endpoint, options)) };
  };

  test('rejects with the reason when the child has exited, even if it ignores SIGTERM', async () => {
    const stopped = new AbortController();
    const { pid, outcome } = connecting(stopped.signal);
    const child = await pid;
    expect(isAlive(child)).toBe(true);
    const reason = new Error('shutting down');
    stopped.abort(reason);
    expect(await outcome).toBe(reason);
    expect(isAlive(child)).toBe(false);
  });
});

describe('session that is disposed', () => {
  test('ends its child, rejects calls and resolves closed with null', async () => {
    await using session = await connect('plain');
    const pid = pidOf(session);
    const inFlight = outcomeOf(call(session, 'mute'));
    await session[Symbol.asyncDispose]();
    expect(await session.closed).toBeNull();
    expect(isAlive(pid)).toBe(false);
    expect(await inFlight).toEqual(new SessionClosedError('the session was closed'));
    expect(await outcomeOf(call(session, 'echo'))).toEqual(new SessionClosedError('the session was closed'));
    await session[Symbol.asyncDispose]();
  });

  test('ends a child that ignores the end of its input and SIGTERM', async () => {
    await using session = await connect('stubborn', { clock: hurriedClock });
    const pid = pidOf(session);
    await session[Symbol.asyncDispose]();
    expect(isAlive(pid)).toBe(false);
  });

  test('ends a stubborn server that was started by a launcher', async () => {
    const endpoint = endpointOf('launcher', serverPath('stubborn'));
    await using session = await connectSession(endpoint, connectOptions({ clock: hurriedClock }));
    const server = await serverPid(session);
    expect(server).not.toBe(session.pid);
    await session[Symbol.asyncDispose]();
    expect(isAlive(pidOf(session))).toBe(false);
    await ended(server);
  });

  test('ends its child when this process exits without disposing the session', async () => {
    const before = process.listeners('exit');
    {
      await using session = await connect('stubborn', { clock: hurriedClock });
      for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener(0);
      expect(await session.closed).toMatchObject({ message: 'the process ended with signal SIGKILL' });
    }
    expect(process.listeners('exit')).toEqual(before);
  });
});

describe('session that the server ends', () => {
  test.each([
    ['exit', 'the process ended with exit code 3 (stderr: out of ideas)'],
    ['kill', 'the process ended with signal SIGKILL'],
  ])('rejects calls in flight with the cause on %s', async (how, message) => {
    await using session = await connect('plain');
    const calls = [outcomeOf(call(session, 'mute')), outcomeOf(call(session, how))];
    expect(await session.closed).toEqual(new SessionClosedError(message));
    expect(await Promise.all(calls)).toEqual([new SessionClosedError(message), new SessionClosedError(message)]);
    expect(await outcomeOf(call(session, 'echo'))).toEqual(new SessionClosedError(message));
  });

  test('resolves a call when the process ends right after its answer', async () => {
    await using session = await connect('plain');
    expect((await call(session, 'last')).value).toBe('goodbye');
    expect(await session.closed).toMatchObject({ message: 'the process ended with exit code 0' });
  });

  test('rejects a call that cannot be written with the cause of the exit', async () => {
    let written: () => void = () => undefined;
    const failed = new Promise<void>((resolve) => (written = resolve));
    // Delays of up to 100 ms end immediately, and longer delays never end.
    const clock: Clock = {
      ...systemClock,
      schedule: (delayMs, callback) => {
        if (delayMs > 100) {
          if (delayMs === 1_000) written();
          return { [Symbol.dispose]: () => undefined };
        }
        return systemClock.schedule(0, () => {
          callback();
          written();
        });
      },
    };
    await using session = await connect('plain', { clock });
    await call(session, 'close input');
    const inFlight = outcomeOf(call(session, 'echo'));
    await failed;
    process.kill(pidOf(session), 'SIGTERM');
    const reason = new SessionClosedError('the process ended with exit code 9 (stderr: no more of this)');
    expect(await inFlight).toEqual(reason);
    expect(await session.closed).toEqual(reason);
  });

  test('ends its child when the child closes its output', async () => {
    await using session = await connect('hang-up', { clock: hurriedClock });
    expect(await outcomeOf(call(session, 'hang up'))).toEqual(
      new SessionClosedError('the process closed its standard output'),
    );
    await session[Symbol.asyncDispose]();
    expect(isAlive(pidOf(session))).toBe(false);
  });

  test('ends the server when only its launcher is killed', async () => {
    const endpoint = endpointOf('launcher', serverPath('stubborn'));
    await using session = await connectSession(endpoint, connectOptions({ clock: hurriedClock }));
    const server = await serverPid(session);
    process.kill(pidOf(session), 'SIGKILL');
    expect(await session.closed).toMatchObject({ message: 'the process ended with signal SIGKILL' });
    await session[Symbol.asyncDispose]();
    await ended(server);
  });
});

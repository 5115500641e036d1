import { describe, expect, test } from 'vitest';
import { connectSession, SessionClosedError, type StdioEndpoint, TransportError } from '../../src/mcp/index.js';
import { type Clock, systemClock } from '../../src/shared/index.js';
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

/** Of the process that a launcher has started. */
async function serverPid(session: Parameters<typeof call>[0]): Promise<number> {
  return Number((await call(session, 'pid')).value);
}

describe('a server that cannot be used', () => {
  const failure = async (endpoint: StdioEndpoint): Promise<string> => {
    const outcome = await outcomeOf(connectSession(endpoint, connectOptions()));
    expect(outcome).toBeInstanceOf(TransportError);
    return outcome instanceof Error ? outcome.message : '';
  };
  const where = `command "${process.execPath}" in ${process.cwd()}`;

  test('whose command does not exist is named', async () => {
    const endpoint = { ...endpointOf('plain'), command: 'swarmlens-no-such-command' };
    expect(await failure(endpoint)).toBe(`command not found: swarmlens-no-such-command (in ${process.cwd()})`);
  });

  test('whose directory does not exist is named', async () => {
    const endpoint = { ...endpointOf('plain'), cwd: '/no/such/directory' };
    expect(await failure(endpoint)).toBe(`command "${process.execPath}": no such directory: /no/such/directory`);
  });

  test('that ends at once is quoted, without control characters', async () => {
    expect(await failure(endpointOf('dying', '--token=secret'))).toBe(
      `${where}: the process ended with exit code 7 (it wrote: first | second | Cannot find module "x")`,
    );
  });

  test('that never answers is given up in time', async () => {
    let timeOut: () => void = () => undefined;
    const clock: Clock = {
      ...systemClock,
      schedule: (delayMs, callback) => {
        if (delayMs === 100_000) timeOut = callback;
        return systemClock.schedule(delayMs, callback);
      },
    };
    const { logger, lines } = recordingLogger();
    lines.push = () => (timeOut(), 1);
    const options = connectOptions({ clock, logger, connectTimeoutMs: 100_000 });
    expect(await outcomeOf(connectSession(endpointOf('mute'), options))).toEqual(
      new TransportError(`${where}: no answer within 100000 ms (it wrote: waiting for something)`),
    );
  });

  test('whose answer to the handshake is none is named', async () => {
    expect(await failure(endpointOf('wrong'))).toMatch(/: Invalid result for initialize/);
  });

  test('whose list of tools does not end is named', async () => {
    expect(await failure(endpointOf('paged', 'endless'))).toMatch(/its list of tools does not end after 100 pages$/);
  });
});

describe('an attempt to connect', () => {
  /** The child says its id on stderr, which is logged. */
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

  test('that is aborted rejects with the reason when its child is gone, be it ever so stubborn', async () => {
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

describe('a session that we close', () => {
  test('is closed for no reason, its child is gone, and calls are refused', async () => {
    await using session = await connect('plain');
    const pid = pidOf(session);
    const underWay = outcomeOf(call(session, 'mute'));
    await session[Symbol.asyncDispose]();
    expect(await session.closed).toBeNull();
    expect(isAlive(pid)).toBe(false);
    expect(await underWay).toEqual(new SessionClosedError('the session was closed'));
    expect(await outcomeOf(call(session, 'echo'))).toEqual(new SessionClosedError('the session was closed'));
    await session[Symbol.asyncDispose]();
  });

  test('takes a child with it that ignores the end of its input and SIGTERM', async () => {
    await using session = await connect('stubborn', { clock: hurriedClock });
    const pid = pidOf(session);
    await session[Symbol.asyncDispose]();
    expect(isAlive(pid)).toBe(false);
  });

  test('takes a stubborn server with it that was started by another program', async () => {
    const endpoint = endpointOf('launcher', serverPath('stubborn'));
    await using session = await connectSession(endpoint, connectOptions({ clock: hurriedClock }));
    const server = await serverPid(session);
    expect(server).not.toBe(session.pid);
    await session[Symbol.asyncDispose]();
    expect(isAlive(pidOf(session))).toBe(false);
    await ended(server);
  });

  test('takes its child with it when our process ends without having closed it', async () => {
    const before = process.listeners('exit');
    {
      await using session = await connect('stubborn', { clock: hurriedClock });
      for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener(0);
      expect(await session.closed).toMatchObject({ message: 'the process ended with signal SIGKILL' });
    }
    expect(process.listeners('exit')).toEqual(before);
  });
});

describe('a session that the server ends', () => {
  test.each([
    ['exit', 'the process ended with exit code 3 (it wrote: out of ideas)'],
    ['kill', 'the process ended with signal SIGKILL'],
  ])('by %s rejects what is under way at once, and says how', async (how, message) => {
    await using session = await connect('plain');
    const calls = [outcomeOf(call(session, 'mute')), outcomeOf(call(session, how))];
    expect(await session.closed).toEqual(new SessionClosedError(message));
    expect(await Promise.all(calls)).toEqual([new SessionClosedError(message), new SessionClosedError(message)]);
    expect(await outcomeOf(call(session, 'echo'))).toEqual(new SessionClosedError(message));
  });

  test('right after an answer still gives that answer', async () => {
    await using session = await connect('plain');
    expect((await call(session, 'last')).value).toBe('goodbye');
    expect(await session.closed).toMatchObject({ message: 'the process ended with exit code 0' });
  });

  test('to which a call can no longer be written is told by how it ends, however long that takes to show', async () => {
    let written: () => void = () => undefined;
    const failed = new Promise<void>((resolve) => (written = resolve));
    // What waits for 100 ms or less is over at once; longer waits never are.
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
    const underWay = outcomeOf(call(session, 'echo'));
    await failed;
    process.kill(pidOf(session), 'SIGTERM');
    const reason = new SessionClosedError('the process ended with exit code 9 (it wrote: no more of this)');
    expect(await underWay).toEqual(reason);
    expect(await session.closed).toEqual(reason);
  });

  test('by closing its output is ended, and the child with it', async () => {
    await using session = await connect('hang-up', { clock: hurriedClock });
    expect(await outcomeOf(call(session, 'hang up'))).toEqual(new SessionClosedError('it closed its standard output'));
    await session[Symbol.asyncDispose]();
    expect(isAlive(pidOf(session))).toBe(false);
  });

  test('of which only the program that started it is killed is ended, and the server with it', async () => {
    const endpoint = endpointOf('launcher', serverPath('stubborn'));
    await using session = await connectSession(endpoint, connectOptions({ clock: hurriedClock }));
    const server = await serverPid(session);
    process.kill(pidOf(session), 'SIGKILL');
    expect(await session.closed).toMatchObject({ message: 'the process ended with signal SIGKILL' });
    await session[Symbol.asyncDispose]();
    await ended(server);
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { randomFrom, randomLine } from './random.js';
import { Tapped } from './tap-setup.js';
import { busy, deaf, mad, type Behavior, TapReceiver } from './uplink-receiver.js';

interface Report {
  readonly read: string;
  readonly written: string;
  /** Number of injected calls that the server answered. */
  readonly own: number;
}

/**
 * Runs a session of random lines and calls with a server that also writes random lines. Each side must read exactly the
 * bytes that the other side wrote.
 * @param between called after the handshake and after each call of the client
 */
async function session(tapped: Tapped, seed: number, between: (call: number) => Promise<unknown>): Promise<Report> {
  const random = randomFrom(seed);
  const sent = createHash('sha256');
  const write = async (bytes: Buffer | string): Promise<void> => {
    sent.update(bytes);
    await tapped.write(bytes);
  };
  const answered = (id: number): Promise<unknown> => tapped.until(() => tapped.stdout.includes(`"id":${id}}\n`));
  await write('{"jsonrpc":"2.0","id":-1,"method":"initialize","params":{}}\n');
  await answered(-1);
  await write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  await between(-1);
  for (let call = 0; call < CALLS; call += 1) {
    for (let count = Math.floor(random() * 4); count > 0; count -= 1) await write(randomLine(random));
    const text = `{"jsonrpc":"2.0","id":${call},"method":"tools/call","params":{"name":"t","arguments":{"n":${call}}}}\n`;
    const middle = Math.floor(random() * text.length);
    await write(text.slice(0, middle));
    await write(text.slice(middle));
    await answered(call);
    await between(call);
  }
  tapped.child.stdin?.end();
  expect(await tapped.outcome()).toEqual({ code: 4, signal: null });
  // The tap may have reported problems of swarmlens.
  const text = tapped.stderr.split('\n').find((line) => line.startsWith('{')) ?? '';
  const report = JSON.parse(text) as Report; // see the fixture
  expect(report.read).toBe(sent.digest('hex'));
  expect(tapped.digest()).toBe(report.written);
  expect(tapped.stdout).not.toContain('swarmlens-');
  return report;
}

const CALLS = 40;
const SEEDS = [1, 2, 3];

function talking(url: string, seed: number): Tapped {
  return Tapped.running('talking', [`${seed}`, '200'], { url }).reading();
}

describe('swarmlens tap', () => {
  test('forwards every byte when swarmlens is not running', async () => {
    await using tapped = Tapped.running('talking', ['1', '200']).reading();
    expect(await session(tapped, 1, () => Promise.resolve())).toMatchObject({ own: 0 });
  });

  test.each(SEEDS)('forwards every byte while swarmlens injects one call after another (seed %i)', async (seed) => {
    await using receiver = await TapReceiver.start(busy);
    await using tapped = talking(receiver.url, seed);
    // Waits until injected calls were answered between two client calls.
    let answers = 0;
    const report = await session(tapped, seed, async (call) => {
      if (call >= 0 && call % 4 !== 0) return;
      answers = receiver.received.length;
      await receiver.until(() => receiver.received.length > answers + 1);
    });
    expect(report.own).toBeGreaterThan(10);
    const calls = receiver.received.filter(({ method }) => method === 'notifications/swarmlens/call');
    expect(calls.map(({ params }) => params)).toEqual(
      Array.from({ length: CALLS }, (_, n) => ({ tool: 't', arguments: { n }, result: { of: n } })),
    );
    await receiver.until(() => receiver.closes.length > 0);
    expect(receiver.closes).toEqual([{ code: 1000, reason: 'the session has ended' }]);
  });

  test.each<[string, Behavior]>([
    ['reads nothing', deaf],
    ['sends invalid messages', mad],
    ['closes the connection immediately', (socket) => socket.terminate()],
    ['rejects the name of the tap', (socket) => socket.close(4409, 'the name is taken')],
  ])('forwards every byte when swarmlens %s', async (_condition, behavior) => {
    await using receiver = await TapReceiver.start(behavior);
    await using tapped = talking(receiver.url, 5);
    await session(tapped, 5, async (call) => {
      if (call < 0) await receiver.until(() => receiver.joins.length > 0);
    });
  });

  test('forwards every byte when swarmlens refuses the connection', async () => {
    await using receiver = await TapReceiver.start(busy, { refuses: true });
    await using tapped = talking(receiver.url, 6);
    await session(tapped, 6, () => Promise.resolve());
    expect(receiver.requests).toEqual([]);
  });

  test('forwards every byte when swarmlens restarts during the session', async () => {
    const receivers = [await TapReceiver.start(busy)];
    const { url, port } = receivers[0] ?? { url: '', port: 0 };
    await using tapped = talking(url, 8);
    await session(tapped, 8, async (call) => {
      const current = receivers.at(-1);
      if (call % 10 === 9) {
        await current?.[Symbol.asyncDispose]();
        receivers.push(await TapReceiver.start(busy, { port }));
      } else if (call % 10 === 5) await current?.until(() => current.received.length > 3);
    });
    expect(receivers.length).toBe(5);
    for (const receiver of receivers.slice(0, 4)) expect(receiver.received.length).toBeGreaterThan(3);
    for (const receiver of receivers) await receiver[Symbol.asyncDispose]();
  });
});

describe('swarmlens tap uplink', () => {
  test('sends the token of the environment, or of the command line, only encrypted', async () => {
    await using receiver = await TapReceiver.start(busy);
    const env = { SWARMLENS_TOKEN: 'from-the-environment' };
    const url = `${receiver.url}/graphql`;
    await using _tapped = Tapped.running('behaving', ['echo'], { url, env });
    await using _other = Tapped.running('behaving', ['echo'], { url, env, flags: ['--token', 'this-token'] });
    await receiver.until(() => receiver.joins.length === 2);
    expect(receiver.joins.map(({ server, token }) => [server, token]).sort()).toEqual([
      ['mine', 'from-the-environment'],
      ['mine', 'this-token'],
    ]);
    for (const { url: path, headers } of receiver.requests) {
      expect([path, headers.authorization, headers.origin]).toEqual(['/tap', undefined, undefined]);
    }
    expect(Buffer.concat(receiver.frames).toString('latin1')).not.toMatch(/from-the-environment|this-token|mine/);
  });

  test('answers initialize with the result of the client session when the session is initialized', async () => {
    await using receiver = await TapReceiver.start(busy);
    await using tapped = talking(receiver.url, 9);
    await receiver.until(() => receiver.joins[0]);
    expect(receiver.received).toEqual([]);
    await tapped.write('{"jsonrpc":"2.0","id":-1,"method":"initialize","params":{}}\n');
    expect(await receiver.until(() => receiver.received[0])).toMatchObject({ id: 1, result: { of: -1 } });
  });
});

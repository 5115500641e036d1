import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { randomFrom, randomLine } from './random.js';
import { Tapped } from './tap-setup.js';
import { busy, deaf, mad, type Manner, Watcher } from './uplink-receiver.js';

interface Report {
  readonly read: string;
  readonly written: string;
  /** Calls of swarmlens' own that the server has answered. */
  readonly own: number;
}

/**
 * A person's session of random lines and calls with a server that does the same; what each has written and what the other
 * has read must be the same bytes.
 * @param between called after the handshake, and after each call of the person's
 */
async function session(tapped: Tapped, seed: number, between: (call: number) => Promise<unknown>): Promise<Report> {
  const random = randomFrom(seed);
  const said = createHash('sha256');
  const write = async (bytes: Buffer | string): Promise<void> => {
    said.update(bytes);
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
  const report = JSON.parse(tapped.stderr) as Report; // see the fixture
  expect(report.read).toBe(said.digest('hex'));
  expect(tapped.digest()).toBe(report.written);
  expect(tapped.stdout).not.toContain('swarmlens-');
  return report;
}

const CALLS = 40;
const SEEDS = [1, 2, 3];

function talking(url: string, seed: number): Tapped {
  return Tapped.running('talking', [`${seed}`, '200'], { url }).reading();
}

describe("a person's session", () => {
  test('is the same, byte for byte, when swarmlens is not there', async () => {
    await using tapped = Tapped.running('talking', ['1', '200']).reading();
    expect(await session(tapped, 1, () => Promise.resolve())).toMatchObject({ own: 0 });
  });

  test.each(SEEDS)('is the same while swarmlens makes one call after another: %i', async (seed) => {
    await using watcher = await Watcher.start(busy);
    await using tapped = talking(watcher.url, seed);
    // Some of its calls come between each two of the person's.
    let answers = 0;
    const report = await session(tapped, seed, async (call) => {
      if (call >= 0 && call % 4 !== 0) return;
      answers = watcher.received.length;
      await watcher.until(() => watcher.received.length > answers + 1);
    });
    expect(report.own).toBeGreaterThan(10);
    const calls = watcher.received.filter(({ method }) => method === 'notifications/swarmlens/call');
    expect(calls.map(({ params }) => params)).toEqual(
      Array.from({ length: CALLS }, (_, n) => ({ tool: 't', arguments: { n }, result: { of: n } })),
    );
    await watcher.until(() => watcher.closes.length > 0);
    expect(watcher.closes).toEqual([{ code: 1000, reason: 'the session has ended' }]);
  });

  test.each<[string, Manner]>([
    ['reads nothing', deaf],
    ['says what makes no sense', mad],
    ['hangs up at once', (socket) => socket.terminate()],
    ['will not have it', (socket) => socket.close(4409, 'the name is taken')],
  ])('is the same when swarmlens %s', async (_what, manner) => {
    await using watcher = await Watcher.start(manner);
    await using tapped = talking(watcher.url, 5);
    await session(tapped, 5, async (call) => {
      if (call < 0) await watcher.until(() => watcher.requests.length > 0);
    });
  });

  test('is the same when swarmlens refuses the connection', async () => {
    await using watcher = await Watcher.start(busy, { refuses: true });
    await using tapped = talking(watcher.url, 6);
    await session(tapped, 6, () => Promise.resolve());
    expect(watcher.requests).toEqual([]);
  });

  test('is the same when swarmlens ends and starts again in the middle of it', async () => {
    const watchers = [await Watcher.start(busy)];
    const { url, port } = watchers[0] ?? { url: '', port: 0 };
    await using tapped = talking(url, 8);
    await session(tapped, 8, async (call) => {
      const current = watchers.at(-1);
      if (call % 10 === 9) {
        await current?.[Symbol.asyncDispose]();
        watchers.push(await Watcher.start(busy, { port }));
      } else if (call % 10 === 5) await current?.until(() => current.received.length > 3);
    });
    expect(watchers.length).toBe(5);
    for (const watcher of watchers.slice(0, 4)) expect(watcher.received.length).toBeGreaterThan(3);
    for (const watcher of watchers) await watcher[Symbol.asyncDispose]();
  });
});

describe('the link', () => {
  test('carries the token as a header only, and the names in the query', async () => {
    await using watcher = await Watcher.start(busy);
    await using _tapped = Tapped.running('behaving', ['echo'], {
      url: `${watcher.url}/graphql`,
      env: { SWARMLENS_TOKEN: 'from-the-environment' },
    });
    const request = await watcher.until(() => watcher.requests[0]);
    expect(request.url).toMatch(/^\/tap\?server=mine&instance=[0-9a-f-]{36}$/);
    expect(request.headers).toMatchObject({ authorization: 'Bearer from-the-environment' });
    expect(request.headers.origin).toBeUndefined();
  });

  test('prefers the token of the command line', async () => {
    await using watcher = await Watcher.start(busy);
    const options = { url: watcher.url, env: { SWARMLENS_TOKEN: 'other' }, flags: ['--token', 'this'] };
    await using _tapped = Tapped.running('behaving', ['echo'], options);
    expect((await watcher.until(() => watcher.requests[0])).headers.authorization).toBe('Bearer this');
  });

  test("answers a greeting with that of the person's session, as soon as there is one", async () => {
    await using watcher = await Watcher.start(busy);
    await using tapped = talking(watcher.url, 9);
    await watcher.until(() => watcher.requests[0]);
    expect(watcher.received).toEqual([]);
    await tapped.write('{"jsonrpc":"2.0","id":-1,"method":"initialize","params":{}}\n');
    expect(await watcher.until(() => watcher.received[0])).toMatchObject({ id: 1, result: { of: -1 } });
  });
});

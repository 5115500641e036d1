import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarmClientWith } from '../../src/client/create-client.js';
import type { AgentStream, SwarmClient, TokenRequest, TokenSource } from '../../src/client/index.js';
import { AccessServer } from '../support/access-server.js';
import { Relay } from '../support/relay.js';
import { countOf, recorder, type Recorder, until } from './looking.js';
import { surroundingsOf } from './manual-surroundings.js';
import { waitUntil } from '../support/wait.js';

let access: AccessServer;
let relay: Relay;

beforeAll(async () => {
  access = await AccessServer.start({ jwtOnly: true });
  relay = await Relay.start(access.server.url);
});

afterAll(async () => {
  await relay[Symbol.asyncDispose]();
  await access[Symbol.asyncDispose]();
});

interface Watcher extends AsyncDisposable {
  readonly client: SwarmClient;
  readonly stream: AgentStream;
  readonly recorded: Recorder;
}

/** Somebody who looks at the agents, by the clock that the tokens live by. */
function watch(token: TokenSource | undefined, maxRefusals?: number): Watcher {
  const recorded = recorder();
  const { webSocketImpl } = recorded;
  // A ping would have to be answered while the clock jumps.
  const options = { url: relay.url, token, maxRefusals, webSocketImpl, pingEveryMs: 1e9 };
  const client = createSwarmClientWith(options, surroundingsOf(access.clock));
  const stream = client.agents({}, 'HIGH_FREQUENCY');
  stream.subscribe(() => undefined);
  return { client, stream, recorded, [Symbol.asyncDispose]: () => client.dispose() };
}

/** A source that remembers what it was asked, and answers what `answer` says the n-th time, beginning with 1. */
function source(answer: (nth: number) => string | null | Promise<string | null>): {
  readonly token: TokenSource;
  readonly asked: TokenRequest[];
} {
  const asked: TokenRequest[] = [];
  return {
    asked,
    token: (request) => {
      asked.push(request);
      return answer(asked.length);
    },
  };
}

async function live({ stream }: Watcher): Promise<void> {
  await until(stream, ({ status, agents }) => status === 'LIVE' && agents.size === 3);
}

/** Four fifths of a token of 20 seconds pass: it is to be renewed. Signing takes real time, during which none passes. */
async function nearlyOver({ recorded }: Watcher, isSo: () => boolean): Promise<void> {
  const state = (): unknown => recorded.received.slice(-5);
  await waitUntil(() => recorded.received.some((text) => text.includes('"expiresAt"')), { state });
  access.clock.advance(16_000);
  await waitUntil(isSo, { state });
}

let round = 0;

/** Something changes, and the watcher sees it. */
async function seesChanges({ stream }: Watcher): Promise<void> {
  round += 1;
  access.server.show(1, 2, round);
  await until(stream, ({ agents }) => agents.get('x:1')?.name === `agent 1 in round ${round}`);
}

describe('a token that is a string', () => {
  test('lets in, and is in no URL', async () => {
    const token = await access.jwt();
    await using watcher = watch(token);
    await live(watcher);
    expect(watcher.recorded.sockets.map(({ url }) => url.includes(token))).toEqual([false]);
  });

  test('that is wrong ends the client at once: the error says why and what to do, not the token', async () => {
    await using watcher = watch('wrong-token');
    const { error } = await until(watcher.client.connection, ({ status }) => status === 'CLOSED');
    expect(error).toMatchObject({ code: 'ACCESS_DENIED', closeCode: 4403 });
    expect(error?.message).toMatch(/^The server refuses access: .*\. Make a new client with another `token`/);
    expect(error?.message).not.toContain('wrong-token');
    expect(watcher.stream.getSnapshot()).toMatchObject({ status: 'ENDED', error });
    await expect(watcher.stream[Symbol.asyncIterator]().next()).rejects.toBe(error);
    expect(watcher.recorded.sockets).toHaveLength(1);
  });

  test('that is missing ends it too', async () => {
    await using watcher = watch(undefined);
    const { error } = await until(watcher.client.connection, ({ status }) => status === 'CLOSED');
    expect(error?.message).toMatch(/Pass a `token`/);
  });

  test('that expires ends it then', async () => {
    await using watcher = watch(await access.jwt({}, 5_000));
    await live(watcher);
    await access.until(() => watcher.client.connection.getSnapshot().status === 'CLOSED');
    expect(watcher.client.connection.getSnapshot().error?.message).toMatch(
      /expired\. .*or pass a function that gets one/,
    );
  });
});

describe('a function that gets tokens', () => {
  test('is asked once, and not again because a connection broke', async () => {
    const { token, asked } = source(() => access.jwt());
    await using watcher = watch(token);
    await live(watcher);
    relay.cut();
    await access.until(() => watcher.recorded.sockets.length === 2);
    await live(watcher);
    expect(asked.map(({ refusal }) => refusal)).toEqual([null]);
  });

  test('is asked again before the token ends: the new one is shown on the same connection, and streams go on', async () => {
    const { token, asked } = source((nth) => access.jwt({}, nth === 1 ? 20_000 : 600_000));
    await using watcher = watch(token);
    await live(watcher);
    const renewed = (): boolean => watcher.recorded.received.some((text) => text.includes('"authenticate"'));
    await nearlyOver(watcher, renewed);
    access.clock.advance(20_000);
    await seesChanges(watcher);
    expect(asked.map(({ refusal }) => refusal)).toEqual([null, null]);
    expect(watcher.recorded.sockets).toHaveLength(1);
    expect(countOf(watcher.recorded, 'AgentUpdates')).toBe(1);
  });

  test('whose next token gives other rights: another connection at once, and streams resume with their cursor', async () => {
    const { token, asked } = source((nth) =>
      access.jwt({ scope: nth === 1 ? 'agents:read' : 'agents:read health:read' }, nth === 1 ? 20_000 : 600_000),
    );
    await using watcher = watch(token);
    await live(watcher);
    await nearlyOver(watcher, () => watcher.recorded.sockets.length === 2);
    await live(watcher);
    await seesChanges(watcher);
    expect(asked).toHaveLength(2);
    expect(countOf(watcher.recorded, 'AgentUpdates')).toBe(1);
    expect(countOf(watcher.recorded, 'AgentPatches')).toBe(2);
  });

  test('that fails when it is time is asked again while there is some left', async () => {
    const { token, asked } = source((nth) => {
      if (nth === 2) throw new Error('the issuer is away');
      return access.jwt({}, nth === 1 ? 20_000 : 600_000);
    });
    await using watcher = watch(token);
    await live(watcher);
    await nearlyOver(watcher, () => asked.length === 2);
    await access.until(() => asked.length === 3);
    await waitUntil(() => countOf(watcher.recorded, 'Authenticate') > 0, { state: () => watcher.recorded.sent });
    expect(asked).toHaveLength(3);
    expect(watcher.recorded.sockets).toHaveLength(1);
  });

  test('that fails until the token is over: asked with the words of the server, on a new connection, cursor kept', async () => {
    const { token, asked } = source((nth) => {
      if (nth > 1 && watcher.recorded.sockets[0]?.readyState === 1) throw new Error('the issuer is away');
      return access.jwt({}, nth === 1 ? 20_000 : 600_000);
    });
    await using watcher = watch(token);
    await live(watcher);
    await access.until(() => watcher.recorded.sockets.length === 2, 100);
    await live(watcher);
    await seesChanges(watcher);
    expect(asked.at(-1)?.refusal).toBe('The token has expired');
    expect(countOf(watcher.recorded, 'AgentUpdates')).toBe(1);
  });

  test('that throws at first is asked again after a pause, and what it said is shown', async () => {
    const { token, asked } = source((nth) => {
      if (nth === 1) throw new Error('no network to the issuer');
      return access.jwt();
    });
    await using watcher = watch(token);
    const { status, retryAt } = await until(watcher.client.connection, ({ why }) => why === 'no network to the issuer');
    expect({ status, retryAt }).toEqual({ status: 'RECONNECTING', retryAt: expect.any(String) });
    await access.until(() => asked.length === 2);
    await live(watcher);
    expect(watcher.recorded.sockets).toHaveLength(1);
  });

  test('that gets wrong ones is asked twice, then that is the end', async () => {
    const { token, asked } = source((nth) => (nth === 1 ? 'wrong' : null));
    await using watcher = watch(token);
    await access.until(() => watcher.client.connection.getSnapshot().status === 'CLOSED');
    const { error } = watcher.client.connection.getSnapshot();
    expect(error).toMatchObject({ code: 'ACCESS_DENIED', message: expect.stringContaining('2 times in a row') });
    expect(asked.map(({ refusal }) => refusal)).toEqual([null, expect.stringMatching(/token/i)]);
  });

  test('that a person answers may be wrong as often as they like', async () => {
    const { token, asked } = source((nth) => (nth < 6 ? `wrong ${nth}` : access.jwt()));
    await using watcher = watch(token, Number.POSITIVE_INFINITY);
    await access.until(() => watcher.client.connection.getSnapshot().status === 'OPEN', 100);
    await live(watcher);
    expect(asked).toHaveLength(6);
  });

  test('that nobody waits for any more is told so', async () => {
    const { token, asked } = source(() => new Promise(() => undefined));
    const watcher = watch(token);
    expect(asked[0]?.signal.aborted).toBe(false);
    await watcher.client.dispose();
    expect(asked[0]?.signal.aborted).toBe(true);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarmClientWithRuntime } from '../../packages/client/src/create-client.js';
import type { AgentStream, SwarmClient, TokenRequest, TokenSource } from '@swarmlens/client';
import { AccessServer } from '../support/access-server.js';
import { Relay } from '../support/relay.js';
import { countSent, recorder, type Recorder, until } from './wait-for-snapshot.js';
import { manualRuntime } from './manual-runtime.js';
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

/** Observes the agents with the clock that decides about the tokens' expiry. */
function watch(token: TokenSource | undefined, maxRejections?: number): Watcher {
  const recorded = recorder();
  const { webSocketImpl } = recorded;
  // The clock jumps past any shorter ping interval, and the connection would count as dead.
  const options = { url: relay.url, token, maxTokenRejections: maxRejections, webSocketImpl, pingIntervalMs: 1e9 };
  const client = createSwarmClientWithRuntime(options, manualRuntime(access.clock));
  const stream = client.agents({}, 'HIGH_FREQUENCY');
  stream.subscribe(() => undefined);
  return { client, stream, recorded, [Symbol.asyncDispose]: () => client.dispose() };
}

/** Creates a token function that records its requests. `getToken` receives the number of the call, from 1. */
function createSource(getToken: (nth: number) => string | null | Promise<string | null>): {
  readonly token: TokenSource;
  readonly requests: TokenRequest[];
} {
  const requests: TokenRequest[] = [];
  return {
    requests,
    token: (request) => {
      requests.push(request);
      return getToken(requests.length);
    },
  };
}

async function live({ stream }: Watcher): Promise<void> {
  await until(stream, ({ status, agents }) => status === 'LIVE' && agents.size === 3);
}

/** Advances the clock by four fifths of a token lifetime of 20 seconds, so that the client renews the token. */
async function advanceToRenewal({ recorded }: Watcher, isRenewed: () => boolean): Promise<void> {
  const state = (): unknown => recorded.received.slice(-5);
  await waitUntil(() => recorded.received.some((text) => text.includes('"expiresAt"')), { state });
  access.clock.advance(16_000);
  await waitUntil(isRenewed, { state });
}

let round = 0;

/** Changes an agent and resolves when the stream holds the change. */
async function untilChangeArrives({ stream }: Watcher): Promise<void> {
  round += 1;
  access.server.show(1, 2, round);
  await until(stream, ({ agents }) => agents.get('x:1')?.name === `agent 1 in round ${round}`);
}

describe('a fixed token', () => {
  test('grants access and is not part of a URL', async () => {
    const token = await access.jwt();
    await using watcher = watch(token);
    await live(watcher);
    expect(watcher.recorded.sockets.map(({ url }) => url.includes(token))).toEqual([false]);
  });

  test('closes the client when it is invalid, with an error that does not contain it', async () => {
    await using watcher = watch('wrong-token');
    const { error } = await until(watcher.client.connection, ({ status }) => status === 'CLOSED');
    expect(error).toMatchObject({ code: 'ACCESS_DENIED', closeCode: 4403 });
    expect(error?.message).toMatch(/^The server denied access: .*\. Create a new client with another `token`/);
    expect(error?.message).not.toContain('wrong-token');
    expect(watcher.stream.getSnapshot()).toMatchObject({ status: 'ENDED', error });
    await expect(watcher.stream[Symbol.asyncIterator]().next()).rejects.toBe(error);
    expect(watcher.recorded.sockets).toHaveLength(1);
  });

  test('closes the client when it is missing', async () => {
    await using watcher = watch(undefined);
    const { error } = await until(watcher.client.connection, ({ status }) => status === 'CLOSED');
    expect(error?.message).toMatch(/Pass a `token`/);
  });

  test('closes the client when it expires', async () => {
    await using watcher = watch(await access.jwt({}, 5_000));
    await live(watcher);
    await access.until(() => watcher.client.connection.getSnapshot().status === 'CLOSED');
    expect(watcher.client.connection.getSnapshot().error?.message).toMatch(
      /expired\. .*or pass a function that returns tokens/,
    );
  });
});

describe('a token function', () => {
  test('is not called again when a connection breaks', async () => {
    const { token, requests } = createSource(() => access.jwt());
    await using watcher = watch(token);
    await live(watcher);
    relay.cut();
    await access.until(() => watcher.recorded.sockets.length === 2);
    await live(watcher);
    expect(requests.map(({ rejection }) => rejection)).toEqual([null]);
  });

  test('renews the token on the same connection before it expires', async () => {
    const { token, requests } = createSource((nth) => access.jwt({}, nth === 1 ? 20_000 : 600_000));
    await using watcher = watch(token);
    await live(watcher);
    const renewed = (): boolean => watcher.recorded.received.some((text) => text.includes('"authenticate"'));
    await advanceToRenewal(watcher, renewed);
    access.clock.advance(20_000);
    await untilChangeArrives(watcher);
    expect(requests.map(({ rejection }) => rejection)).toEqual([null, null]);
    expect(watcher.recorded.sockets).toHaveLength(1);
    expect(countSent(watcher.recorded, 'AgentUpdates')).toBe(1);
  });

  test('reconnects and resumes streams when the new token has other permissions', async () => {
    const { token, requests } = createSource((nth) =>
      access.jwt({ scope: nth === 1 ? 'agents:read' : 'agents:read health:read' }, nth === 1 ? 20_000 : 600_000),
    );
    await using watcher = watch(token);
    await live(watcher);
    await advanceToRenewal(watcher, () => watcher.recorded.sockets.length === 2);
    await live(watcher);
    await untilChangeArrives(watcher);
    expect(requests).toHaveLength(2);
    expect(countSent(watcher.recorded, 'AgentUpdates')).toBe(1);
    expect(countSent(watcher.recorded, 'AgentPatches')).toBe(2);
  });

  test('is called again before the expiry when it fails', async () => {
    const { token, requests } = createSource((nth) => {
      if (nth === 2) throw new Error('the issuer is unreachable');
      return access.jwt({}, nth === 1 ? 20_000 : 600_000);
    });
    await using watcher = watch(token);
    await live(watcher);
    await advanceToRenewal(watcher, () => requests.length === 2);
    await access.until(() => requests.length === 3);
    await waitUntil(() => countSent(watcher.recorded, 'Authenticate') > 0, { state: () => watcher.recorded.sent });
    expect(requests).toHaveLength(3);
    expect(watcher.recorded.sockets).toHaveLength(1);
  });

  test('receives the rejection when it failed until the token expired', async () => {
    const { token, requests } = createSource((nth) => {
      if (nth > 1 && watcher.recorded.sockets[0]?.readyState === 1) throw new Error('the issuer is unreachable');
      return access.jwt({}, nth === 1 ? 20_000 : 600_000);
    });
    await using watcher = watch(token);
    await live(watcher);
    await access.until(() => watcher.recorded.sockets.length === 2, 100);
    await live(watcher);
    await untilChangeArrives(watcher);
    expect(requests.at(-1)?.rejection).toBe('The token has expired');
    expect(countSent(watcher.recorded, 'AgentUpdates')).toBe(1);
  });

  test('is called again after a delay when it throws, and its message is the reason', async () => {
    const { token, requests } = createSource((nth) => {
      if (nth === 1) throw new Error('no network to the issuer');
      return access.jwt();
    });
    await using watcher = watch(token);
    const { status, retryAt } = await until(
      watcher.client.connection,
      ({ reason }) => reason === 'no network to the issuer',
    );
    expect({ status, retryAt }).toEqual({ status: 'RECONNECTING', retryAt: expect.any(String) });
    await access.until(() => requests.length === 2);
    await live(watcher);
    expect(watcher.recorded.sockets).toHaveLength(1);
  });

  test('closes the client after two rejected tokens in a row', async () => {
    const { token, requests } = createSource((nth) => (nth === 1 ? 'wrong' : null));
    await using watcher = watch(token);
    await access.until(() => watcher.client.connection.getSnapshot().status === 'CLOSED');
    const { error } = watcher.client.connection.getSnapshot();
    expect(error).toMatchObject({ code: 'ACCESS_DENIED', message: expect.stringContaining('2 times in a row') });
    expect(requests.map(({ rejection }) => rejection)).toEqual([null, expect.stringMatching(/token/i)]);
  });

  test('may return any number of rejected tokens when maxTokenRejections is Infinity', async () => {
    const { token, requests } = createSource((nth) => (nth < 6 ? `wrong ${nth}` : access.jwt()));
    await using watcher = watch(token, Number.POSITIVE_INFINITY);
    await access.until(() => watcher.client.connection.getSnapshot().status === 'OPEN', 100);
    await live(watcher);
    expect(requests).toHaveLength(6);
  });

  test('receives an aborted signal when the token is no longer needed', async () => {
    const { token, requests } = createSource(() => new Promise(() => undefined));
    const watcher = watch(token);
    expect(requests[0]?.signal.aborted).toBe(false);
    await watcher.client.dispose();
    expect(requests[0]?.signal.aborted).toBe(true);
  });
});

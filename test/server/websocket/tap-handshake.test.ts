import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { SealedSocket } from '../../../src/server/websocket/sealed-socket.js';
import {
  TapHandshake,
  type TapHandshakeFailure,
  type TapHandshakeOptions,
  type TapJoin,
} from '../../../src/server/websocket/tap-handshake.js';
import { MAX_ALLOW_TOOLS, MAX_TOOL_NAME_LENGTH } from '../../../src/shared/index.js';
import { UplinkHandshake } from '../../../src/tap/uplink/uplink-handshake.js';
import { FakeSocket } from '../../support/fake-socket.js';
import { ManualClock, settled } from '../../support/manual-clock.js';

const KEY = Buffer.alloc(32, 1);
const JOIN = { server: 'mine', instance: 'one' };
const JOINED: TapJoin = { ...JOIN, allowTools: [] };
const HANDSHAKE_MS = 10_000;

/** Handshake with a tap whose messages the test sends. */
class HandshakeSetup {
  readonly clock = new ManualClock();
  readonly inner = new FakeSocket();
  readonly duplex = new PassThrough();
  readonly joins: { readonly join: TapJoin; readonly isSealed: boolean }[] = [];
  readonly failures: TapHandshakeFailure[] = [];
  readonly uplink = new UplinkHandshake(KEY);

  constructor(loadKey: TapHandshakeOptions['loadKey']) {
    new TapHandshake(this.inner.socket, {
      duplex: this.duplex,
      loadKey,
      clock: this.clock,
      onJoin: (join, socket) => this.joins.push({ join, isSealed: socket instanceof SealedSocket }),
      onFailure: (failure) => this.failures.push(failure),
    });
  }

  /** Starts a handshake with a tap that must prove that it knows the key. */
  static withKey(): HandshakeSetup {
    return new HandshakeSetup(() => Promise.resolve(KEY));
  }

  receive(message: unknown): void {
    this.inner.emit('message', Buffer.isBuffer(message) ? message : Buffer.from(JSON.stringify(message)));
  }

  /** Sends the challenge and returns what the tap sends next. */
  async challenge(uplink = this.uplink): Promise<NonNullable<ReturnType<UplinkHandshake['finish']>>> {
    this.receive(JSON.parse(uplink.challenge));
    await settled();
    const [method, response] = this.inner.calls.at(-1) ?? [];
    const finished = method === 'send' ? uplink.finish(String(response)) : null;
    if (finished === null) throw new Error(`no valid response: ${String(response)}`);
    return finished;
  }

  /** Sends everything up to the join message. */
  async join(message: unknown): Promise<void> {
    const { proof, channel } = await this.challenge();
    this.receive(JSON.parse(proof));
    this.receive(channel.seal(JSON.stringify(message)));
  }

  /** Expects that the handshake has ended in one way, and that nothing that follows has an effect. */
  async expectEnd(expected: {
    readonly joins?: readonly TapJoin[];
    readonly failures?: readonly unknown[];
  }): Promise<void> {
    const end = { joins: expected.joins ?? [], failures: expected.failures ?? [] };
    const real = (): unknown => ({ joins: this.joins.map(({ join }) => join), failures: this.failures });
    expect(real()).toEqual(end);
    expect(this.clock.pending).toBe(0);
    expect([this.duplex.listenerCount('data'), this.inner.listenerCount('close')]).toEqual([
      0,
      // A sealed socket has a listener of its own.
      this.inner.listenerCount('error'),
    ]);
    this.duplex.emit('data', Buffer.alloc(1_000_000));
    if (end.failures.length > 0) for (const _ of [1, 2]) this.receive({});
    await this.clock.pass(2 * HANDSHAKE_MS, 100);
    expect(real()).toEqual(end);
  }
}

describe('TapHandshake', () => {
  test('accepts a tap that proves that it knows the key, and decrypts its join message', async () => {
    const setup = HandshakeSetup.withKey();
    await setup.join({ ...JOIN, token: 't', allowTools: ['a'], more: 1 });
    expect(setup.joins.map(({ isSealed }) => isSealed)).toEqual([true]);
    await setup.expectEnd({ joins: [{ ...JOIN, token: 't', allowTools: ['a'] }] });
  });

  test('accepts the join message of a tap that its token has authenticated, without a challenge', async () => {
    const setup = new HandshakeSetup(null);
    setup.receive(JOIN);
    expect(setup.joins.map(({ isSealed }) => isSealed)).toEqual([false]);
    expect(setup.inner.calls).toEqual([]);
    await setup.expectEnd({ joins: [JOINED] });
  });

  test('leaves the messages after the join message to the receiver of the socket', () => {
    const setup = new HandshakeSetup(null);
    setup.receive(JOIN);
    expect(setup.inner.listenerCount('message')).toBe(0);
  });

  const invalidJoins: readonly (readonly [string, Record<string, unknown>])[] = [
    ['no server', { server: undefined }],
    ['a number as server', { server: 7 }],
    ['no instance', { instance: undefined }],
    ['a token that is no string', { token: 1 }],
    ['allowed tools that are no list', { allowTools: 'a' }],
    ['an allowed tool without a name', { allowTools: [''] }],
    ['a long name of an allowed tool', { allowTools: ['x'.repeat(MAX_TOOL_NAME_LENGTH + 1)] }],
    ['too many allowed tools', { allowTools: Array.from({ length: MAX_ALLOW_TOOLS + 1 }, () => 'a') }],
  ];

  test.each(invalidJoins)('rejects a join message with %s', async (_, change) => {
    const withToken = new HandshakeSetup(null);
    withToken.receive({ ...JOIN, ...change });
    await withToken.expectEnd({ failures: [{ kind: 'INVALID' }] });
    const withKey = HandshakeSetup.withKey();
    await withKey.join({ ...JOIN, ...change });
    await withKey.expectEnd({ failures: [{ kind: 'INVALID' }] });
  });

  test.each<[string, Record<string, unknown>]>([
    ['the most allowed tools', { allowTools: Array.from({ length: MAX_ALLOW_TOOLS }, () => 'a') }],
    ['the longest and the shortest name of an allowed tool', { allowTools: ['x'.repeat(MAX_TOOL_NAME_LENGTH), 'x'] }],
    ['null as token', { token: null }],
  ])('accepts a join message with %s', async (_, change) => {
    const setup = new HandshakeSetup(null);
    setup.receive({ ...JOIN, ...change });
    await setup.expectEnd({ joins: [{ ...JOINED, ...change }] });
  });

  test.each<[string, unknown]>([
    ['no JSON', Buffer.from([0xff])],
    ['no nonce', {}],
    ['a short nonce', { nonce: 'short' }],
    ['null', null],
  ])('rejects a challenge with %s', async (_, challenge) => {
    const setup = HandshakeSetup.withKey();
    setup.receive(challenge);
    await settled();
    expect(setup.inner.calls).toEqual([]);
    await setup.expectEnd({ failures: [{ kind: 'INVALID' }] });
  });

  test.each<[string, (proof: string) => unknown]>([
    ['another proof', () => ({ proof: 'x'.repeat(43) })],
    ['no proof', () => ({})],
    ['a proof that is no string', () => ({ proof: 1 })],
    ['no JSON', () => Buffer.from('{')],
  ])('rejects a tap with UNPROVED when it sends %s', async (_, change) => {
    const setup = HandshakeSetup.withKey();
    const { proof } = await setup.challenge();
    setup.receive(change(proof));
    await setup.expectEnd({ failures: [{ kind: 'UNPROVED' }] });
  });

  test('rejects a proof with the key of another handshake', async () => {
    const setup = HandshakeSetup.withKey();
    const { proof } = await setup.challenge();
    const again = HandshakeSetup.withKey();
    await again.challenge(setup.uplink);
    again.receive(JSON.parse(proof));
    await again.expectEnd({ failures: [{ kind: 'UNPROVED' }] });
  });

  test('rejects a message that arrives while the key is read, and does not respond to the challenge', async () => {
    const setup = HandshakeSetup.withKey();
    setup.receive(JSON.parse(setup.uplink.challenge));
    setup.receive({});
    await settled();
    expect(setup.inner.calls).toEqual([]);
    await setup.expectEnd({ failures: [{ kind: 'INVALID' }] });
  });

  test('reports UNAVAILABLE with the error when the key cannot be read', async () => {
    const error = new Error('no key');
    const setup = new HandshakeSetup(() => Promise.reject(error));
    setup.receive(JSON.parse(setup.uplink.challenge));
    await settled();
    await setup.expectEnd({ failures: [{ kind: 'UNAVAILABLE', error }] });
  });

  test('ends without a report when the socket closes, also while the key is read', async () => {
    for (const loadKey of [null, () => Promise.resolve(KEY), () => Promise.reject(new Error('no key'))]) {
      const setup = new HandshakeSetup(loadKey);
      if (loadKey !== null) setup.receive(JSON.parse(setup.uplink.challenge));
      setup.inner.emit('close');
      await settled();
      expect(setup.inner.calls).toEqual([]);
      expect(setup.inner.listenerCount('message')).toBe(0);
      await setup.expectEnd({});
    }
  });

  test('fails with TIMEOUT when the join message has not arrived after 10 seconds', async () => {
    const silent = HandshakeSetup.withKey();
    await silent.clock.pass(HANDSHAKE_MS - 1, HANDSHAKE_MS - 1);
    expect(silent.failures).toEqual([]);
    await silent.clock.pass(1);
    await silent.expectEnd({ failures: [{ kind: 'TIMEOUT' }] });
    const proved = HandshakeSetup.withKey();
    const { proof } = await proved.challenge();
    proved.receive(JSON.parse(proof));
    await proved.clock.pass(HANDSHAKE_MS);
    await proved.expectEnd({ failures: [{ kind: 'TIMEOUT' }] });
  });

  test('accepts 4 KB before the proof and 256 KB until the join message', async () => {
    const unproved = HandshakeSetup.withKey();
    unproved.duplex.emit('data', Buffer.alloc(4_000));
    unproved.duplex.emit('data', Buffer.alloc(96));
    expect(unproved.failures).toEqual([]);
    unproved.duplex.emit('data', Buffer.alloc(1));
    await unproved.expectEnd({ failures: [{ kind: 'INVALID' }] });
    const proved = HandshakeSetup.withKey();
    const { proof } = await proved.challenge();
    proved.receive(JSON.parse(proof));
    for (const setup of [proved, new HandshakeSetup(null)]) {
      setup.duplex.emit('data', Buffer.alloc(256 * 1_024));
      expect(setup.failures).toEqual([]);
      setup.duplex.emit('data', Buffer.alloc(1));
      await setup.expectEnd({ failures: [{ kind: 'INVALID' }] });
    }
  });
});

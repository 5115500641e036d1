import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Authenticator, ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import { SocketSession } from '../../src/server/websocket/socket-session.js';
import { SwarmlensError } from '../../src/shared/index.js';

const MAX_REASON_BYTES = 123;

/** Says who somebody is when the test lets it. */
class Door implements Authenticator {
  readonly isRequired = true;
  readonly closed: { readonly code: number; readonly reason: string }[] = [];
  readonly asked: (string | null)[] = [];
  readonly watched = new Set<(reason: string) => void>();
  answer: () => Promise<Viewer> = () => Promise.resolve(ANONYMOUS_VIEWER);

  session(header: string | null = null): SocketSession {
    return new SocketSession(this, header, (code, reason) => this.closed.push({ code, reason }));
  }

  authenticate(authorization: string | null): Promise<Viewer> {
    this.asked.push(authorization);
    return this.answer();
  }

  watch(_viewer: Viewer, onEnd: (reason: string) => void): Disposable {
    this.watched.add(onEnd);
    return { [Symbol.dispose]: () => this.watched.delete(onEnd) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

describe('a session of a socket', () => {
  test('any payload of connection_init: somebody is let in, or the socket is closed with a reason that fits', async () => {
    const payloads = fc.oneof(
      fc.jsonValue(),
      fc.record({ maxHz: fc.jsonValue(), authorization: fc.jsonValue() }, { requiredKeys: [] }),
    );
    await fc.assert(
      fc.asyncProperty(payloads, async (payload) => {
        const door = new Door();
        const session = door.session();
        const isIn = await session.authenticate(payload);
        expect(door.closed).toHaveLength(isIn ? 0 : 1);
        expect(door.closed.every(({ code }) => code === 4400)).toBe(true);
        expect(session.viewer).toBe(isIn ? ANONYMOUS_VIEWER : null);
        session[Symbol.dispose]();
        expect(door.watched.size).toBe(0);
      }),
    );
  });

  test('any words of a refusal fit into a close frame, cut between characters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (message) => {
        const door = new Door();
        door.answer = () => Promise.reject(new SwarmlensError('UNAUTHENTICATED', message));
        expect(await door.session().authenticate(null)).toBe(false);
        const reason = door.closed[0]?.reason ?? '';
        expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(MAX_REASON_BYTES);
        expect(message.startsWith(reason)).toBe(true);
      }),
    );
  });

  test.each([
    ['UNAUTHENTICATED', 4403],
    ['SERVER_UNAVAILABLE', 1013],
  ] as const)('%s closes it with %i', async (code, expected) => {
    const door = new Door();
    door.answer = () => Promise.reject(new SwarmlensError(code, 'no'));
    expect(await door.session().authenticate({})).toBe(false);
    expect(door.closed).toEqual([{ code: expected, reason: 'no' }]);
  });

  test('the token of connection_init is taken, or else the one of the upgrade', async () => {
    const door = new Door();
    await door.session('Bearer header').authenticate({ authorization: 'Bearer payload' });
    await door.session('Bearer header').authenticate({});
    await door.session().authenticate(null);
    expect(door.asked).toEqual(['Bearer payload', 'Bearer header', null]);
  });

  test('who leaves while it is found out who they are is not watched afterwards', async () => {
    const door = new Door();
    let know: (viewer: Viewer) => void = () => undefined;
    door.answer = () => new Promise((resolve) => (know = resolve));
    const session = door.session();
    const begun = session.authenticate(null);
    session[Symbol.dispose]();
    know(ANONYMOUS_VIEWER);
    expect(await begun).toBe(false);
    expect(door.watched.size).toBe(0);
  });

  test('a new token of the same scope takes the place of the old, whose end then ends nothing', async () => {
    const door = new Door();
    const session = door.session();
    await session.authenticate(null);
    const [old] = door.watched;
    const next: Viewer = { ...ANONYMOUS_VIEWER, subject: 'somebody else' };
    door.answer = () => Promise.resolve(next);
    expect(await session.reauthenticate('next')).toBe(next);
    expect(session.viewer).toBe(next);
    expect(door.watched.size).toBe(1);
    expect(old !== undefined && door.watched.has(old)).toBe(false);
    door.answer = () => Promise.resolve({ ...ANONYMOUS_VIEWER, scope: 'other' });
    await expect(session.reauthenticate('other')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(session.viewer).toBe(next);
    for (const onEnd of door.watched) onEnd('The token has expired');
    expect(door.closed).toEqual([{ code: 4403, reason: 'The token has expired' }]);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Authenticator, ANONYMOUS_VIEWER, type Viewer } from '../../src/auth/index.js';
import { SocketSession } from '../../src/server/websocket/socket-session.js';
import { MAX_CLOSE_REASON_BYTES, SwarmlensError } from '../../src/shared/index.js';

/** Authenticator whose answers the test controls. */
class FakeAuthenticator implements Authenticator {
  readonly isRequired = true;
  readonly closed: { readonly code: number; readonly reason: string }[] = [];
  readonly received: (string | null)[] = [];
  readonly watched = new Set<(reason: string) => void>();
  answer: () => Promise<Viewer> = () => Promise.resolve(ANONYMOUS_VIEWER);

  session(header: string | null = null): SocketSession {
    return new SocketSession(this, header, (code, reason) => this.closed.push({ code, reason }));
  }

  authenticate(authorization: string | null): Promise<Viewer> {
    this.received.push(authorization);
    return this.answer();
  }

  watch(_viewer: Viewer, onExpired: (reason: string) => void): Disposable {
    this.watched.add(onExpired);
    return { [Symbol.dispose]: () => this.watched.delete(onExpired) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

describe('SocketSession', () => {
  test('for any payload of connection_init: accepts the client or closes the WebSocket with 4400', async () => {
    const payloads = fc.oneof(
      fc.jsonValue(),
      fc.record({ maxHz: fc.jsonValue(), authorization: fc.jsonValue() }, { requiredKeys: [] }),
    );
    await fc.assert(
      fc.asyncProperty(payloads, async (payload) => {
        const authenticator = new FakeAuthenticator();
        const session = authenticator.session();
        const isAccepted = await session.authenticate(payload);
        expect(authenticator.closed).toHaveLength(isAccepted ? 0 : 1);
        expect(authenticator.closed.every(({ code }) => code === 4400)).toBe(true);
        expect(session.viewer).toBe(isAccepted ? ANONYMOUS_VIEWER : null);
        session[Symbol.dispose]();
        expect(authenticator.watched.size).toBe(0);
      }),
    );
  });

  test.each<[string, unknown, string]>([
    ['a text as maxHz', { maxHz: '5' }, 'connection_init: "maxHz" must be a number above 0'],
    ['0 as maxHz', { maxHz: 0 }, 'connection_init: "maxHz" must be a number above 0'],
    [
      'a number as authorization',
      { authorization: 1 },
      'connection_init: "authorization" must be a string: "Bearer <token>"',
    ],
    ['a list', [1], 'connection_init: '],
  ])('closes the WebSocket with 4400 and the reason when connection_init has %s', async (_, payload, reason) => {
    const authenticator = new FakeAuthenticator();
    const session = authenticator.session();
    expect(await session.authenticate(payload)).toBe(false);
    expect(authenticator.closed).toEqual([{ code: 4400, reason: expect.stringContaining(reason) as string }]);
    expect([authenticator.received, session.viewer]).toEqual([[], null]);
  });

  test.each<[unknown, number | null]>([
    [{ maxHz: 5 }, 5],
    [{ maxHz: null, authorization: null, more: 1 }, null],
    [{}, null],
    [null, null],
    [undefined, null],
  ])('accepts %j as payload of connection_init, with the rate %j', async (payload, maxHz) => {
    const authenticator = new FakeAuthenticator();
    const session = authenticator.session();
    expect(await session.authenticate(payload)).toBe(true);
    expect([session.rateLimit.maxHz, session.viewer]).toEqual([maxHz, ANONYMOUS_VIEWER]);
  });

  test('rejects with an unexpected error of the authenticator', async () => {
    const authenticator = new FakeAuthenticator();
    const error = new Error('broken');
    authenticator.answer = () => Promise.reject(error);
    await expect(authenticator.session().authenticate(null)).rejects.toBe(error);
    expect(authenticator.closed).toEqual([]);
  });

  test('accepts no token of a subject before connection_init', async () => {
    const authenticator = new FakeAuthenticator();
    authenticator.answer = () => Promise.resolve({ ...ANONYMOUS_VIEWER, subject: 'ada' });
    await expect(authenticator.session().reauthenticate('t')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('for any error message: truncates the close reason between characters to fit its frame', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (message) => {
        const authenticator = new FakeAuthenticator();
        authenticator.answer = () => Promise.reject(new SwarmlensError('UNAUTHENTICATED', message));
        expect(await authenticator.session().authenticate(null)).toBe(false);
        const reason = authenticator.closed[0]?.reason ?? '';
        expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(MAX_CLOSE_REASON_BYTES);
        expect(message.startsWith(reason)).toBe(true);
      }),
    );
  });

  test.each([
    ['UNAUTHENTICATED', 4403],
    ['SERVER_UNAVAILABLE', 1013],
  ] as const)('closes the WebSocket for %s with %i', async (code, expected) => {
    const authenticator = new FakeAuthenticator();
    authenticator.answer = () => Promise.reject(new SwarmlensError(code, 'no'));
    expect(await authenticator.session().authenticate({})).toBe(false);
    expect(authenticator.closed).toEqual([{ code: expected, reason: 'no' }]);
  });

  test('prefers the token of connection_init to that of the upgrade request', async () => {
    const authenticator = new FakeAuthenticator();
    await authenticator.session('Bearer header').authenticate({ authorization: 'Bearer payload' });
    await authenticator.session('Bearer header').authenticate({});
    await authenticator.session().authenticate(null);
    expect(authenticator.received).toEqual(['Bearer payload', 'Bearer header', null]);
  });

  test('does not watch a viewer that disconnects during authentication', async () => {
    const authenticator = new FakeAuthenticator();
    let resolveViewer: (viewer: Viewer) => void = () => undefined;
    authenticator.answer = () => new Promise((resolve) => (resolveViewer = resolve));
    const session = authenticator.session();
    const pending = session.authenticate(null);
    session[Symbol.dispose]();
    resolveViewer(ANONYMOUS_VIEWER);
    expect(await pending).toBe(false);
    expect(authenticator.watched.size).toBe(0);
  });

  test('reauthenticate replaces a token of equal subject and scope and ignores the expiry of the old one', async () => {
    const authenticator = new FakeAuthenticator();
    const session = authenticator.session();
    await session.authenticate(null);
    const [old] = authenticator.watched;
    const next: Viewer = { ...ANONYMOUS_VIEWER };
    authenticator.answer = () => Promise.resolve(next);
    expect(await session.reauthenticate('next')).toBe(next);
    expect(session.viewer).toBe(next);
    expect(authenticator.watched.size).toBe(1);
    expect(old !== undefined && authenticator.watched.has(old)).toBe(false);
    authenticator.answer = () => Promise.resolve({ ...ANONYMOUS_VIEWER, scope: 'other' });
    await expect(session.reauthenticate('other')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    authenticator.answer = () => Promise.resolve({ ...ANONYMOUS_VIEWER, subject: 'another subject' });
    await expect(session.reauthenticate('another')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(session.viewer).toBe(next);
    for (const onExpired of authenticator.watched) onExpired('The token has expired');
    expect(authenticator.closed).toEqual([{ code: 4403, reason: 'The token has expired' }]);
  });
});

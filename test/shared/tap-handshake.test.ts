import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createTapNonce, createTapProof, SealedChannel, verifyTapProof } from '../../src/shared/index.js';

const key = randomBytes(32);
const nonces = { tap: createTapNonce(), swarmlens: createTapNonce() };

describe('verifyTapProof', () => {
  const proof = createTapProof(key, 'tap', nonces);

  test('accepts the proof of the same key, role and nonces', () => {
    expect(verifyTapProof(key, 'tap', nonces, proof)).toBe(true);
  });

  test('rejects a proof of another key, role or handshake, and any other value', () => {
    expect(verifyTapProof(randomBytes(32), 'tap', nonces, proof)).toBe(false);
    expect(verifyTapProof(key, 'swarmlens', nonces, proof)).toBe(false);
    expect(verifyTapProof(key, 'tap', { ...nonces, tap: createTapNonce() }, proof)).toBe(false);
    expect(verifyTapProof(key, 'tap', { ...nonces, swarmlens: createTapNonce() }, proof)).toBe(false);
    expect(verifyTapProof(key, 'tap', { tap: nonces.swarmlens, swarmlens: nonces.tap }, proof)).toBe(false);
    for (const value of ['', `${proof}A`, proof.slice(1), 'é'.repeat(43), null, undefined, 7, {}]) {
      expect(verifyTapProof(key, 'tap', nonces, value)).toBe(false);
    }
  });
});

describe('SealedChannel', () => {
  const open = (): { tap: SealedChannel; swarmlens: SealedChannel } => ({
    tap: new SealedChannel(key, 'tap', nonces),
    swarmlens: new SealedChannel(key, 'swarmlens', nonces),
  });

  test('transfers messages in both directions without their text', () => {
    const { tap, swarmlens } = open();
    for (const text of ['', 'ä', 'x'.repeat(100_000), 'ä']) {
      const sealed = tap.seal(text);
      expect(swarmlens.open(sealed).toString()).toBe(text);
      if (text !== '') expect(sealed.includes(text)).toBe(false);
      expect(tap.open(swarmlens.seal(text)).toString()).toBe(text);
    }
  });

  test('never seals equal messages to equal bytes', () => {
    const { tap, swarmlens } = open();
    const sealed = [tap.seal('a'), tap.seal('a'), swarmlens.seal('a')].map((bytes) => bytes.toString('hex'));
    expect(new Set(sealed).size).toBe(3);
  });

  test.each<[string, (tap: SealedChannel) => Buffer]>([
    ['a changed message', (tap) => flip(tap.seal('text'))],
    ['a message after one that was left out', (tap) => (tap.seal('left out'), tap.seal('text'))],
    ['a short message', () => Buffer.alloc(15)],
    ['its own message', () => new SealedChannel(key, 'swarmlens', nonces).seal('text')],
    ['a message of another key', () => new SealedChannel(randomBytes(32), 'tap', nonces).seal('text')],
    [
      'a message of another handshake',
      () => new SealedChannel(key, 'tap', { ...nonces, swarmlens: createTapNonce() }).seal('text'),
    ],
  ])('rejects %s', (_name, send) => {
    const { tap, swarmlens } = open();
    expect(() => swarmlens.open(send(tap))).toThrow();
  });

  test('rejects a repeated message', () => {
    const { tap, swarmlens } = open();
    const frame = tap.seal('text');
    swarmlens.open(frame);
    expect(() => swarmlens.open(frame)).toThrow();
  });
});

function flip(frame: Buffer): Buffer {
  const changed = Buffer.from(frame);
  changed[0] = (changed[0] ?? 0) ^ 1;
  return changed;
}

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Subprotocols of the WebSocket between tap and swarmlens. With `key`, both sides prove that they know the tap key, and all
 * further messages are encrypted. With `token`, TLS proves the identity of swarmlens, and the tap sends a token.
 */
export const TAP_PROTOCOLS = { key: 'swarmlens-tap-key.v1', token: 'swarmlens-tap-token.v1' } as const;

/** Time limit from the connection to the join message. */
export const TAP_HANDSHAKE_TIMEOUT_MS = 10_000;

export type TapRole = 'tap' | 'swarmlens';

/** Random texts of both sides, which make each handshake unique. */
export type TapNonces = Readonly<Record<TapRole, string>>;

const NONCE_BYTES = 32;
const NONCE = /^[A-Za-z0-9_-]{43}$/;
const CIPHER = 'aes-256-gcm';
const CIPHER_KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createTapNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

export function isTapNonce(value: unknown): value is string {
  return typeof value === 'string' && NONCE.test(value);
}

/** Returns the proof that one side knows the key: HMAC-SHA256 over its role and both nonces, as base64url. */
export function createTapProof(key: Buffer, role: TapRole, nonces: TapNonces): string {
  return createHmac('sha256', key).update(describeHandshake(role, nonces)).digest('base64url');
}

/** Compares a proof with the expected one in constant time. */
export function verifyTapProof(key: Buffer, role: TapRole, nonces: TapNonces, proof: unknown): boolean {
  const [expected, actual] = [createTapProof(key, role, nonces), typeof proof === 'string' ? proof : ''].map((text) =>
    Buffer.from(text),
  ) as [Buffer, Buffer]; // `map` does not keep the length
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/**
 * Encrypts and authenticates the messages after a handshake. A program that forwards the handshake between a tap and another
 * swarmlens can therefore neither read nor change them. Messages are numbered, so that they cannot be repeated or left out.
 */
export class SealedChannel {
  readonly #outgoing: DirectionCipher;
  readonly #incoming: DirectionCipher;

  constructor(key: Buffer, role: TapRole, nonces: TapNonces) {
    this.#outgoing = new DirectionCipher(key, role, nonces);
    this.#incoming = new DirectionCipher(key, role === 'tap' ? 'swarmlens' : 'tap', nonces);
  }

  seal(text: string): Buffer {
    const cipher = createCipheriv(CIPHER, this.#outgoing.key, this.#outgoing.nextIv());
    return Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** Decrypts the next message. @throws Error if it is not the next message of the other side */
  open(frame: Buffer): Buffer {
    if (frame.length < TAG_BYTES) throw new Error('the message is too short');
    const { key } = this.#incoming;
    const decipher = createDecipheriv(CIPHER, key, this.#incoming.nextIv(), { authTagLength: TAG_BYTES });
    decipher.setAuthTag(frame.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(frame.subarray(0, -TAG_BYTES)), decipher.final()]);
  }
}

/** Key and message number of one direction. */
class DirectionCipher {
  readonly key: Buffer;
  #count = 0n;

  constructor(key: Buffer, sender: TapRole, nonces: TapNonces) {
    this.key = Buffer.from(hkdfSync('sha256', key, '', describeHandshake(sender, nonces), CIPHER_KEY_BYTES));
  }

  nextIv(): Buffer {
    const iv = Buffer.alloc(IV_BYTES);
    iv.writeBigUInt64BE(this.#count, IV_BYTES - 8);
    this.#count += 1n;
    return iv;
  }
}

function describeHandshake(role: TapRole, nonces: TapNonces): string {
  return `${TAP_PROTOCOLS.key} ${role} ${nonces.tap} ${nonces.swarmlens}`;
}

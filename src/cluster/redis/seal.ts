import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { RefusalReason } from './refusals.js';

/** Signature of data that a node without keys writes. */
const UNSIGNED = '-';
const DIGEST_BYTES = 32;
/** Number of fields that are processed before the event loop continues. */
const FIELDS_PER_TURN = 500;

/**
 * Signs and verifies the data that nodes exchange over Redis with HMAC-SHA256. The signed text includes the channel or the key
 * that the data is in, so that it cannot be moved. Without keys, nothing is signed, and only unsigned data is accepted.
 */
export class Seal {
  readonly #keys: readonly KeyObject[];

  /** @param keys accepted keys, the first of which signs */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map((key) => createSecretKey(key, 'utf8'));
  }

  /** Whether this node has keys, so that senders are authenticated. */
  get isKeyed(): boolean {
    return this.#keys.length > 0;
  }

  /** Returns the signature of a text. @param name channel or key that the text is written to */
  sign(name: string, text: string): string {
    const [key] = this.#keys;
    return key === undefined ? UNSIGNED : encode(digest(key, name, text));
  }

  /** Returns why a signature is refused. Null if it is valid. */
  refusalOf(name: string, text: string, signature: string): RefusalReason | null {
    const refusal = this.#unreadable(signature);
    if (refusal !== null || !this.isKeyed) return refusal;
    return this.#keys.some((key) => isEqual(digest(key, name, text), signature)) ? null : 'signature';
  }

  /** Creates the sum of an empty hash. Null without keys. */
  createSum(): HashSum | null {
    const [key] = this.#keys;
    return key === undefined ? null : new HashSum(key);
  }

  /**
   * Returns why the signature of a hash is refused. Null if it is valid.
   * @param fields all fields of the hash and their values
   * @param textWith returns the signed text that contains the sum of the hash
   */
  async refusalOfHash(
    name: string,
    fields: readonly (readonly [string, string])[],
    { signature, textWith }: { readonly signature: string; readonly textWith: (sum: string) => string },
  ): Promise<RefusalReason | null> {
    const refusal = this.#unreadable(signature);
    if (refusal !== null || !this.isKeyed) return refusal;
    for (const key of this.#keys) {
      const { sum } = await new HashSum(key).changed(fields, []);
      if (isEqual(digest(key, name, textWith(sum)), signature)) return null;
    }
    return 'signature';
  }

  #unreadable(signature: string): RefusalReason | null {
    if (this.isKeyed) return signature === UNSIGNED || signature === '' ? 'unsigned' : null;
    return signature === UNSIGNED ? null : 'unverifiable';
  }
}

/**
 * Sum of the digests of all fields of a hash in Redis. A change costs one digest per changed field, regardless of the size of
 * the hash. The sum is secret, because it is only ever written as part of a signed text.
 */
export class HashSum {
  readonly #key: KeyObject;
  readonly #digests = new Map<string, Buffer>();
  #total: Buffer = Buffer.alloc(DIGEST_BYTES);

  constructor(key: KeyObject) {
    this.#key = key;
  }

  get sum(): string {
    return encode(this.#total);
  }

  /** Returns the sum after a change, and a function that applies the change. */
  async changed(
    set: readonly (readonly [string, string])[],
    removed: readonly string[],
  ): Promise<{ readonly sum: string; readonly apply: () => void }> {
    const total = Buffer.from(this.#total);
    const changed = new Map<string, Buffer | null>();
    const replace = (name: string, value: Buffer | null): void => {
      const previous = changed.has(name) ? changed.get(name) : this.#digests.get(name);
      if (previous != null) exclusiveOr(total, previous);
      if (value !== null) exclusiveOr(total, value);
      changed.set(name, value);
    };
    let processed = 0;
    for (const [name, value] of set) {
      replace(name, digest(this.#key, name, value));
      processed += 1;
      if (processed % FIELDS_PER_TURN === 0) await setImmediate();
    }
    for (const name of removed) replace(name, null);
    return {
      sum: encode(total),
      apply: () => {
        this.#total = total;
        for (const [name, value] of changed) {
          if (value === null) this.#digests.delete(name);
          else this.#digests.set(name, value);
        }
      },
    };
  }
}

/** The length of the name separates the name from the text. */
function digest(key: KeyObject, name: string, text: string): Buffer {
  return createHmac('sha256', key).update(`${name.length} ${name}${text}`).digest();
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64url');
}

/** Compares texts, because several texts decode to the same bytes. */
function isEqual(expected: Buffer, signature: string): boolean {
  const [wanted, given] = [Buffer.from(encode(expected)), Buffer.from(signature)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function exclusiveOr(total: Buffer, other: Buffer): void {
  for (let index = 0; index < DIGEST_BYTES; index += 1) total[index] = (total[index] ?? 0) ^ (other[index] ?? 0);
}

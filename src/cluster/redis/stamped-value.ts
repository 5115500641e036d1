import { WIRE_VERSION } from './envelope.js';
import type { RedisConnection } from './redis-connection.js';
import type { RefusalReason } from './refusals.js';

/** Value of a key that its writer signed with the time. */
export interface StampedValue {
  readonly text: string;
  /** Time of the signature in milliseconds since the epoch, by the Redis clock. */
  readonly atMs: number;
}

const SHAPE = /^([^ ]{1,16}) (\d{1,16}) ([\w-]{1,64}) (.*)$/s;
/** Tolerance in milliseconds for the clock of Redis, which jumps when another Redis takes over. */
const TOLERANCE_MS = 10_000;

/** Writes a value as `version time signature text`. */
export function stampedValue(
  { seal, time }: Pick<RedisConnection, 'seal' | 'time'>,
  key: string,
  text: string,
): string {
  const atMs = time.now();
  return `${WIRE_VERSION} ${atMs} ${seal.sign(key, `${atMs} ${text}`)} ${text}`;
}

/**
 * Reads a value.
 * @param maxAgeMs age from which on the value is refused, because its writer would have replaced it or Redis would have expired it
 */
export function readStampedValue(
  { seal, time }: Pick<RedisConnection, 'seal' | 'time'>,
  key: string,
  { value, maxAgeMs }: { readonly value: string; readonly maxAgeMs: number },
): StampedValue | RefusalReason {
  const [, version, at, signature = '', text = ''] = SHAPE.exec(value) ?? [];
  if (at === undefined || version !== WIRE_VERSION) return 'version';
  const refusal = seal.refusalOf(key, `${at} ${text}`, signature);
  if (refusal !== null) return refusal;
  const atMs = Number(at);
  return Math.abs(time.now() - atMs) > maxAgeMs + TOLERANCE_MS ? 'expired' : { text, atMs };
}

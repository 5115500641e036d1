import { Buffer } from 'node:buffer';

/** Creates a seeded generator of numbers from 0 to below 1 (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomBytes(random, length) {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

/** Returns a random line with its newline: bytes, JSON of any length or an empty line. */
export function randomLine(random) {
  const kind = Math.floor(random() * 5);
  const long = random() < 0.1 ? 50_000 : 200;
  const body = [
    () => randomBytes(random, Math.floor(random() * long)).filter((byte) => byte !== 10),
    () => Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/x', params: { n: random() } })),
    () => Buffer.from(JSON.stringify({ result: { text: 'ä🐝'.repeat(Math.floor(random() * long)) }, id: random() })),
    () => Buffer.from('🐝 a line of a log'),
    () => Buffer.alloc(0),
  ][kind]();
  return Buffer.concat([Buffer.from(body), Buffer.from(random() < 0.2 ? '\r\n' : '\n')]);
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LastLines } from '../../src/mcp/last-lines.js';
import { LineSplitter } from '../../src/mcp/line-splitter.js';
import { SECRETS, TRACES } from '../support/secrets.js';

/** Cuts bytes at any places. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));

test('lines come out as they were, wherever the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat()), (lines, rest, cuts) => {
      const seen: string[] = [];
      const splitter = new LineSplitter(
        1_000_000,
        (whole) => seen.push(whole),
        () => seen.push('overflow'),
      );
      const bytes = Buffer.from([...lines, rest].join('\n'));
      for (const chunk of chunksOf(bytes, cuts)) splitter.push(chunk);
      expect(seen).toEqual(lines);
    }),
  );
});

test('a line that is too long is told, however it comes', () => {
  for (const cuts of [[], [3], [11]]) {
    let overflows = 0;
    const seen: string[] = [];
    const splitter = new LineSplitter(
      10,
      (whole) => seen.push(whole),
      () => (overflows += 1),
    );
    for (const chunk of chunksOf(Buffer.from('0123456789\n0123456789+\n'), cuts)) splitter.push(chunk);
    expect(seen[0]).toBe('0123456789');
    expect(overflows).toBeGreaterThan(0);
  }
});

test('of what was written to stderr the last three of twenty lines are told, in one line', () => {
  const all: string[] = [];
  const lines = new LastLines((whole) => all.push(whole));
  expect(lines.toString()).toBe('');
  lines.push('one\r\n\n\u001b[31mtwo\u001b[0m\nth');
  expect(lines.toString()).toBe('one | two | th');
  lines.push(`ree\n${'x'.repeat(2_000)}\n`);
  expect(all).toEqual(['one', 'two', 'three', 'x'.repeat(500)]);
  expect(lines.toString()).toBe(`two | three | ${'x'.repeat(500)}`);
});

test('of a private key on stderr, which comes in lines, nothing is told, and what comes after it is', () => {
  const key = SECRETS['private key'] ?? '';
  const cutShort = SECRETS['private key cut short'] ?? '';
  for (const text of [
    `${key}\nafter it\n`,
    `${cutShort}\nafter it\n`,
    `${key.replaceAll('\n', '\r\n')}\r\nafter it\n`,
  ]) {
    const all: string[] = [];
    const lines = new LastLines((whole) => all.push(whole));
    for (const character of `before it\n${text}`) {
      lines.push(character);
      for (const trace of TRACES) expect(lines.toString()).not.toContain(trace);
    }
    expect(all).toEqual(['before it', '[redacted]', 'after it']);
  }
});

test('of a line on stderr that is too long, a secret that was cut through is not told', () => {
  const secret = SECRETS['GitHub token'] ?? '';
  const all: string[] = [];
  const lines = new LastLines((whole) => all.push(whole));
  for (let at = 16_384 - 50; at < 16_384; at += 1) {
    lines.push(`${secret} ${'x'.repeat(at)}`);
    lines.push(' end\n');
  }
  expect(all.join('\n')).not.toContain(secret.slice(-8));
  expect(all).toHaveLength(50);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameSplitter } from '../../src/mcp/transports/websocket/frame-splitter.js';
import { OutputTail } from '../../src/mcp/transports/stdio/output-tail.js';
import { LineSplitter } from '../../src/shared/line-splitter.js';
import { protectSecrets } from '../../src/shared/sanitize/index.js';
import { SECRETS, SECRET_FRAGMENTS } from '../support/secrets.js';
import { chunksOf } from './support.js';

const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''));

describe('LineSplitter', () => {
  test('for any lines and any chunks: returns the lines unchanged', () => {
    fc.assert(
      fc.property(fc.array(line), line, fc.array(fc.nat()), (lines, rest, cuts) => {
        const seen: string[] = [];
        const splitter = new LineSplitter(
          1_000_000,
          (whole) => seen.push(whole.toString()),
          () => seen.push('overflow'),
        );
        const bytes = Buffer.from([...lines, rest].join('\n'));
        for (const chunk of chunksOf(bytes, cuts)) splitter.push(chunk);
        expect(seen).toEqual(lines);
      }),
    );
  });

  test('reports a line that is too long for any chunks', () => {
    for (const cuts of [[], [3], [11]]) {
      let overflows = 0;
      const seen: string[] = [];
      const splitter = new LineSplitter(
        10,
        (whole) => seen.push(whole.toString()),
        () => (overflows += 1),
      );
      for (const chunk of chunksOf(Buffer.from('0123456789\n0123456789+\n'), cuts)) splitter.push(chunk);
      expect(seen[0]).toBe('0123456789');
      expect(overflows).toBeGreaterThan(0);
    }
  });
});

const message = fc
  .record({ id: fc.string(), result: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()) })
  .map((fields) => JSON.stringify({ jsonrpc: '2.0', ...fields }));

/** Text between messages that does not look like the beginning of a message. */
const noise = line.filter((text) => !text.trim().startsWith('{'));

function cutFrames(frames: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const splitter = new FrameSplitter(
    1_000_000,
    (whole) => seen.push(whole.toString()),
    () => seen.push('overflow'),
  );
  for (const frame of frames) splitter.push(frame);
  return seen.map((text) => text.trim()).filter((text) => text.startsWith('{"jsonrpc"'));
}

describe('FrameSplitter', () => {
  test('for any messages and noise as lines, and any frames: returns the messages unchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(message, noise)), fc.array(fc.nat()), fc.boolean(), (lines, cuts, isCrLf) => {
        const bytes = Buffer.from(lines.map((text) => `${text}${isCrLf ? '\r\n' : '\n'}`).join(''));
        expect(cutFrames(chunksOf(bytes, cuts))).toEqual(lines.filter((text) => text.startsWith('{"jsonrpc"')));
      }),
    );
  });

  test('for any messages without line ends, and any frames: returns the messages unchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(message, fc.array(fc.nat()))), (messages) => {
        const frames = messages.flatMap(([text, cuts]) => chunksOf(Buffer.from(text), cuts));
        expect(cutFrames(frames)).toEqual(messages.map(([text]) => text));
      }),
    );
  });

  test('does not append the beginning of a message to text that is not a message', () => {
    const frames = ['no line', '{"jsonrpc":1}', ' {broken', '}', '\n{"jsonrpc":2}\n\n{"jsonrpc":3}'];
    expect(cutFrames(frames.map((text) => Buffer.from(text)))).toEqual([
      '{"jsonrpc":1}',
      '{"jsonrpc":2}',
      '{"jsonrpc":3}',
    ]);
  });
});

describe('OutputTail', () => {
  test('joins the last three lines and shortens long lines', () => {
    const all: string[] = [];
    const lines = new OutputTail((whole) => all.push(whole));
    expect(lines.toString()).toBe('');
    lines.push('one\r\n\n\u001b[31mtwo\u001b[0m\nth');
    expect(lines.toString()).toBe('one | two | th');
    lines.push(`ree\n${'x'.repeat(2_000)}\n`);
    expect(all).toEqual(['one', 'two', 'three', 'x'.repeat(500)]);
    expect(lines.toString()).toBe(`two | three | ${'x'.repeat(500)}`);
  });

  test('redacts a private key that spans several lines', () => {
    const key = SECRETS['private key'] ?? '';
    const cutShort = SECRETS['private key cut short'] ?? '';
    for (const text of [
      `${key}\nafter it\n`,
      `${cutShort}\nafter it\n`,
      `${key.replaceAll('\n', '\r\n')}\r\nafter it\n`,
    ]) {
      const all: string[] = [];
      const lines = new OutputTail((whole) => all.push(whole));
      for (const character of `before it\n${text}`) {
        lines.push(character);
        for (const trace of SECRET_FRAGMENTS) expect(lines.toString()).not.toContain(trace);
      }
      expect(all).toEqual(['before it', '[redacted]', 'after it']);
    }
  });

  test('does not reveal a secret of the configuration that arrives in pieces', () => {
    const secret = 'kestrel seven "of" nine';
    using _secrets = protectSecrets([secret]);
    const lines = new OutputTail(() => undefined);
    for (const character of `key: ${secret}\nlast: ${secret}`) {
      lines.push(character);
      expect(lines.toString()).not.toMatch(/kestr|seven|nine/);
    }
    expect(lines.toString()).toBe('key: [redacted] | last: [redacted]');
    for (let length = 16_384 - secret.length; length <= 16_384; length += 1) {
      const long = new OutputTail(() => undefined);
      long.push(`${secret} ${'x '.repeat(8_192).slice(0, length)}`);
      long.push('\n');
      expect(long.toString()).not.toMatch(/kestr|seven|nine/);
    }
  });

  test('redacts a secret at the cut of a line that is too long', () => {
    const secret = SECRETS['GitHub token'] ?? '';
    const all: string[] = [];
    const lines = new OutputTail((whole) => all.push(whole));
    for (let at = 16_384 - 50; at < 16_384; at += 1) {
      lines.push(`${secret} ${'x'.repeat(at)}`);
      lines.push(' end\n');
    }
    expect(all.join('\n')).not.toContain(secret.slice(-8));
    expect(all).toHaveLength(50);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventStreamRewriter } from '../../src/mcp/transports/http/event-stream.js';
import { runs } from '../support/fuzz-inputs.js';
import { chunksOf } from './support.js';

const MAX_BYTES = 1_200;
const MAX_DIRECT_BYTES = 20;

/** Rewrites a stream. Returns the new text, or null if an event was too long. */
async function rewrite(chunks: readonly Buffer[]): Promise<string | null> {
  let tooLong = 0;
  const rewriter = new EventStreamRewriter({
    maxBytes: MAX_BYTES,
    onTooLong: () => (tooLong += 1),
    maxDirectBytes: MAX_DIRECT_BYTES,
    replace: (data) =>
      data.includes('invalid') ? Promise.reject(new Error('invalid')) : Promise.resolve(`${data.length} bytes`),
  });
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const text = await new Response(body.pipeThrough(new TransformStream(rewriter))).text().catch(() => null);
  expect(tooLong).toBe(text === null ? 1 : 0);
  return text;
}

interface Event {
  readonly fields: Readonly<Record<string, string>>;
  readonly data: readonly string[];
}

const word = fc.string({ unit: fc.constantFrom('a', 'é', '🐝', ':', ' ', '\u0000'), maxLength: 6 });
const event: fc.Arbitrary<Event> = fc.record({
  fields: fc.dictionary(fc.constantFrom('event', 'id', 'retry'), word, { maxKeys: 3 }),
  data: fc.array(word, { maxLength: 2 }),
});

describe('EventStreamRewriter', () => {
  test('for any events, line ends and chunks: keeps fields and data, and ends lines with line feeds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 5 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat()),
        fc.boolean(),
        async (events, end, cuts, hasMark) => {
          const lines = events.flatMap(({ fields, data }) => [
            ': comment',
            'other: x',
            ...Object.entries(fields).map(([name, value]) => `${name}:${value.startsWith(' ') ? ' ' : ''}${value}`),
            ...data.map((line) => `data: ${line}`),
            '',
          ]);
          const text = lines.map((line) => `${line}${end}`).join('');
          const expected = events.map(({ fields, data }) => {
            const json = data.join('\n');
            const bytes = Buffer.byteLength(json);
            const shown = bytes > MAX_DIRECT_BYTES ? [`${bytes} bytes`] : data;
            const all = [
              ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
              ...shown.map((line) => `data: ${line}`),
            ];
            return all.length === 0 ? '' : `${all.join('\n')}\n\n`;
          });
          const stream = `${hasMark ? '\ufeff' : ''}${text}`;
          expect(await rewrite(chunksOf(Buffer.from(stream), cuts))).toBe(expected.join(''));
        },
      ),
      runs(500),
    );
  });

  test('passes an error on instead of long data that cannot be replaced', async () => {
    expect(await rewrite([Buffer.from(`data: invalid ${'x'.repeat(30)}\n\n`)])).toBe('data: not a message\n\n');
  });

  test('omits an event that does not end', async () => {
    expect(await rewrite([Buffer.from('data: a\n\ndata: b\n')])).toBe('data: a\n\n');
  });

  test.each([
    ['one line', [`data: ${'x'.repeat(3_000)}`]],
    ['many lines', Array.from({ length: 100 }, () => `data: ${'x'.repeat(30)}\n`)],
    ['a comment', [`:${'x'.repeat(3_000)}`]],
  ])('fails when an event is too long: %s', async (_name, chunks) => {
    expect(await rewrite(chunks.map((chunk) => Buffer.from(chunk)))).toBeNull();
  });

  test('does not add up the lengths of events', async () => {
    const one = Buffer.from('data: 123456789012345\n\n');
    expect(await rewrite(Array.from({ length: 200 }, () => one))).toHaveLength(200 * one.length);
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitedFetch } from '../../src/mcp/body-limit.js';
import { chunksOf } from './support.js';
import { runs } from '../support/hostile.js';

const MAX_BYTES = 20;

/** @returns the text that came, or `null` when it was too long */
async function read(contentType: string, chunks: readonly Uint8Array[]): Promise<string | null> {
  let tooLong = 0;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const answer = new Response(body, { headers: { 'content-type': contentType } });
  const fetch = limitedFetch(
    () => Promise.resolve(answer),
    MAX_BYTES,
    () => (tooLong += 1),
  );
  const text = await (await fetch('http://x/')).text().catch(() => null);
  expect(tooLong).toBe(text === null ? 1 : 0);
  return text;
}

test('a stream of events passes whole, however it is cut, unless one of them is too long', async () => {
  const event = fc
    .oneof(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 21, max: 40 }))
    .map((length) => 'x'.repeat(length));
  const blank = fc.constantFrom('\n\n', '\r\n\r\n');
  await fc.assert(
    fc.asyncProperty(fc.array(event), blank, fc.array(fc.nat()), async (events, end, cuts) => {
      const text = events.map((one) => `${one}${end}`).join('');
      const isTooLong = events.some((one) => one.length > MAX_BYTES);
      const chunks = chunksOf(Buffer.from(text), cuts);
      expect(await read('text/event-stream; charset=utf-8', chunks)).toBe(isTooLong ? null : text);
    }),
    // A blank line just before a cut, and then an event that is too long by one byte; blank lines that are cut.
    {
      examples: [
        [['x'.repeat(16), 'x'.repeat(21)], '\n\n', [19]],
        [['xx', '', 'x'.repeat(16)], '\r\n\r\n', [6]],
      ],
      ...runs(100),
    },
  );
});

test('any other body is counted as a whole', async () => {
  const half = Buffer.from('123456\n\n90');
  expect(await read('application/json', [half, half])).toBe(`${half.toString()}${half.toString()}`);
  expect(await read('application/json', [half, half, half])).toBeNull();
});

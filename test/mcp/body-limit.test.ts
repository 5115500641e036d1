import { describe, expect, test } from 'vitest';
import { fetchWithBodyLimit } from '../../src/mcp/transports/http/body-limit.js';

/** Reads a body through a limit of 20 bytes. @returns the text, or null if the body was too long */
async function read(contentType: string, chunks: readonly Uint8Array[], status = 200): Promise<string | null> {
  let tooLong = 0;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const response = new Response(body, { status, headers: { 'content-type': contentType } });
  const limit = { maxBytes: 20, onTooLong: () => (tooLong += 1) };
  const fetch = fetchWithBodyLimit(() => Promise.resolve(response), limit);
  const text = await (await fetch('http://x/')).text().catch(() => null);
  expect(tooLong).toBe(text === null ? 1 : 0);
  return text;
}

describe('fetchWithBodyLimit', () => {
  const half = Buffer.from('123456\n\n90');
  const halves = [half, half, half];

  test('applies the limit to the whole body', async () => {
    expect(await read('application/json', [half, half])).toBe(`${half.toString()}${half.toString()}`);
    expect(await read('application/json', halves)).toBeNull();
  });

  test('does not apply the limit to streams and errors, which have limits of their own', async () => {
    expect(await read('text/event-stream; charset=utf-8', halves)).toHaveLength(30);
    expect(await read('application/json', halves, 500)).toHaveLength(30);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, findChromium, startBrowser } from '../support/chromium.js';
import { borderMessages, expectedMessages, FrameServer } from '../support/frame-server.js';

const executable = findChromium();
// On a continuous integration machine a missing browser is a failure, elsewhere a skipped suite.
const here = executable !== null || process.env['CI'] === 'true';

describe.skipIf(!here)(
  `frames${here ? '' : ' (skipped: Chromium is not on the PATH, and CHROMIUM_PATH is not set)'}`,
  () => {
    let browser: Browser;

    beforeAll(async () => {
      if (executable === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
      browser = await startBrowser(executable);
    });

    afterAll(() => browser[Symbol.asyncDispose]());

    test.each([
      ['compressed', 1, 64],
      ['compressed', 2, 64],
      ['uncompressed', 1, null],
      ['uncompressed', 2, null],
    ] as const)(
      "a browser's WebSocket reads every length and every id, %s, for %d reader(s)",
      async (_, readers, threshold) => {
        const messages = borderMessages();
        await using server = await FrameServer.start(messages, readers, threshold);
        const page = await browser.context.newPage();
        const read = await page.evaluate(
          (url) =>
            new Promise<{ extensions: string; texts: string[] }>((resolve, reject) => {
              const socket = new WebSocket(url);
              const texts: string[] = [];
              socket.onmessage = ({ data }: MessageEvent<string>) => {
                texts.push(data);
                if (data === 'last') resolve({ extensions: socket.extensions, texts });
              };
              socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
            }),
          server.url,
        );
        await page.close();
        expect(read.extensions).toContain('permessage-deflate');
        expect(read.texts.slice(1, -1).map((text) => JSON.parse(text) as unknown)).toEqual(expectedMessages(messages));
      },
    );
  },
);

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { Browser } from '../support/chromium.js';

/** Pictures of pages, to be looked at; not kept in the repository. */
export const SHOTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors on its console, and requests to other hosts. */
  readonly wrong: string[];
  /** What came over its sockets. */
  readonly received: string[];
  readonly sent: string[];
  /** WebSockets that it opened. */
  readonly sockets: string[];
  /** Number of these that were closed before the page was. */
  readonly cuts: () => number;
}

/** A page, with all that goes over its sockets and all that goes wrong on it. */
export async function openPage(browser: Browser, origin: string, path = '/'): Promise<WatchedPage> {
  const page = await browser.context.newPage();
  const [wrong, received, sent, sockets]: [string[], string[], string[], string[]] = [[], [], [], []];
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`page: ${error.message}`));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol.startsWith('http') && asked.origin !== origin) wrong.push(`request: ${request.url()}`);
  });
  let cuts = 0;
  page.on('websocket', (socket) => {
    sockets.push(socket.url());
    socket.on('close', () => (cuts += 1));
    socket.on('framereceived', ({ payload }) => received.push(payload.toString()));
    socket.on('framesent', ({ payload }) => sent.push(payload.toString()));
  });
  await page.goto(`${origin}${path}`);
  return { page, wrong, received, sent, sockets, cuts: () => cuts, [Symbol.asyncDispose]: () => page.close() };
}

/** Keeps a picture of what is seen. */
export async function shoot(page: Page, name: string, fullPage = false): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage });
}

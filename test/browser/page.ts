import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { Browser } from '../support/chromium.js';

/** Folder of screenshots for manual review, which is not part of the repository. */
export const SHOTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console and the page, and requests to other origins. */
  readonly errors: string[];
  /** Frames that the WebSockets of the page received. */
  readonly received: string[];
  /** Frames that the WebSockets of the page sent. */
  readonly sent: string[];
  /** URLs of the WebSockets that the page opened. */
  readonly sockets: string[];
  /** Returns the number of closed WebSockets. */
  readonly cuts: () => number;
}

/** Opens a page and records its WebSocket frames and errors. */
export async function openPage(browser: Browser, origin: string, path = '/'): Promise<WatchedPage> {
  const page = await browser.context.newPage();
  const [errors, received, sent, sockets]: [string[], string[], string[], string[]] = [[], [], [], []];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => errors.push(`page: ${error.message}`));
  page.on('request', (request) => {
    const requested = new URL(request.url());
    if (requested.protocol.startsWith('http') && requested.origin !== origin) errors.push(`request: ${request.url()}`);
  });
  let cuts = 0;
  page.on('websocket', (socket) => {
    sockets.push(socket.url());
    socket.on('close', () => (cuts += 1));
    socket.on('framereceived', ({ payload }) => received.push(payload.toString()));
    socket.on('framesent', ({ payload }) => sent.push(payload.toString()));
  });
  await page.goto(`${origin}${path}`);
  return { page, errors, received, sent, sockets, cuts: () => cuts, [Symbol.asyncDispose]: () => page.close() };
}

/** Saves a screenshot of the page. */
export async function shoot(page: Page, name: string, fullPage = false): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png`, fullPage });
}

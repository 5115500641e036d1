import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, type Rolldown } from 'vite';
import { type Browser, findChromium, startBrowser } from '../support/chromium.js';
import { DeliveryServer } from '../support/delivery-server.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

const executable = findChromium();
const here = executable !== null || process.env['CI'] === 'true';

/** The React example as a bundler makes it, by path. */
async function bundled(): Promise<ReadonlyMap<string, string>> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    root: `${ROOT}examples/react`,
    base: '/react/',
    // React warns of what it does not like in development only, and looks twice in strict mode.
    define: { 'process.env.NODE_ENV': '"development"' },
    resolve: { alias: { 'swarmlens/client': `${ROOT}dist/client/index.js` } },
    build: { write: false, minify: false },
  });
  const { output } = built as Rolldown.RolldownOutput; // one, as it does not watch
  return new Map(
    output.map((part) => [`/react/${part.fileName}`, part.type === 'chunk' ? part.code : part.source.toString()]),
  );
}

/** Serves the pages from an origin that is not swarmlens' own. */
async function serve(made: ReadonlyMap<string, string>): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://a.example').pathname;
    const file = path.replace('/node_modules/swarmlens/', '/').replace(/^\/browser\//, '/examples/browser/');
    const text = made.get(path) ?? readFile(`${ROOT}${file.slice(1)}`, 'utf8');
    Promise.resolve(text).then(
      (found) => response.setHeader('content-type', TYPES[extname(path)] ?? 'text/plain').end(found),
      () => response.writeHead(path === '/favicon.ico' ? 204 : 404).end(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of TCP
  return { server, origin: `http://127.0.0.1:${port}` };
}

describe.skipIf(!here)(`examples in Chromium${here ? '' : ' (skipped: there is none)'}`, () => {
  let browser: Browser;
  let pages: { server: Server; origin: string };
  let swarmlens: DeliveryServer;

  beforeAll(async () => {
    if (executable === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
    pages = await serve(await bundled());
    swarmlens = await DeliveryServer.start({}, { origins: [pages.origin] });
    swarmlens.show(0, 3, 0);
    browser = await startBrowser(executable);
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    pages.server.close();
    await swarmlens[Symbol.asyncDispose]();
  });

  async function open(path: string): Promise<{ page: Page; wrong: string[] }> {
    const page = await browser.context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
    });
    page.on('pageerror', (error) => wrong.push(error.message));
    await page.goto(`${pages.origin}${path}#${swarmlens.url}`);
    return { page, wrong };
  }

  test('the page without a bundler lists agents, changes with them, and filters them', async () => {
    const { page, wrong } = await open('/browser/index.html');
    await page.getByText('agent 1 in round 0 (tester): ACTIVE').waitFor();
    await page.getByText(/OPEN, \d+ ms/).waitFor();
    swarmlens.show(1, 2, 1);
    await page.getByText('agent 1 in round 1 (tester): BUSY').waitFor();
    await page.locator('#type').fill('coder');
    await page.locator('#type').blur();
    await page.getByText('agent 1 in round 1').waitFor({ state: 'detached' });
    expect(await page.locator('li').count()).toBe(2);
    expect(wrong).toEqual([]);
    await page.close();
    swarmlens.show(1, 2, 0);
  });

  test('React shows agents through useSyncExternalStore, in strict mode, without a warning', async () => {
    const { page, wrong } = await open('/react/index.html');
    await page.locator('tr', { hasText: 'agent 1 in round 0' }).waitFor();
    expect(await page.locator('tr').count()).toBe(3);
    swarmlens.show(1, 2, 1);
    await page.locator('tr', { hasText: 'agent 1 in round 1' }).waitFor();
    await page.getByRole('button', { name: 'HIGH_FREQUENCY' }).click();
    swarmlens.show(0, 5, 2);
    await page.locator('tr', { hasText: 'agent 4 in round 2' }).waitFor();
    await page.getByText(/^LIVE/).waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { serverPath } from '../mcp/support.js';
import { request } from '../support/app.js';
import { type Browser, findChromium, startBrowser } from '../support/chromium.js';
import { Program } from '../support/program.js';

const executable = findChromium();
// On a continuous integration machine a missing browser is a failure, elsewhere a skipped suite.
const here = executable !== null || process.env['CI'] === 'true';

describe.skipIf(!here)(`in Chromium${here ? '' : ' (skipped: not on the PATH, and CHROMIUM_PATH is not set)'}`, () => {
  let program: Program;
  let url: string;
  let browser: Browser;

  beforeAll(async () => {
    if (executable === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
    program = new Program(['serve', '--demo', '--port', '0'], { cwd: process.cwd() });
    url = (await program.printed(/ready at (\S+)\/graphql/))[1] ?? '';
    browser = await startBrowser(executable);
  }, 60_000);

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await program[Symbol.asyncDispose]();
  });

  /** A page, and what went wrong on it: errors on its console, and requests to other hosts. */
  async function open(path: string, origin = url): Promise<{ page: Page; wrong: string[]; received: string[] }> {
    const page = await browser.context.newPage();
    const wrong: string[] = [];
    const received: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') wrong.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => wrong.push(`page: ${error.message}`));
    page.on('request', (request) => {
      const asked = new URL(request.url());
      if (asked.protocol.startsWith('http') && asked.origin !== origin) wrong.push(`request: ${request.url()}`);
    });
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => received.push(payload.toString()));
    });
    await page.goto(`${origin}${path}`);
    return { page, wrong, received };
  }

  test('GraphiQL: the first tab is a subscription, which moves over a WebSocket', async () => {
    const { page, wrong, received } = await open('/graphql');
    const run = page.locator('.graphiql-execute-button');
    await run.waitFor({ timeout: 20_000 });
    expect(await page.locator('.graphiql-tab').count()).toBeGreaterThanOrEqual(5);
    await run.click();
    await page.waitForFunction(() => document.querySelector('.result-window')?.textContent.includes('DELTA') === true);
    expect(received.some((frame) => frame.includes('"SNAPSHOT"'))).toBe(true);
    expect(received.some((frame) => frame.includes('"DELTA"'))).toBe(true);
    expect(wrong).toEqual([]);
    await page.close();
  }, 60_000);

  test('the playground: agents appear, move, and say that they are simulated', async () => {
    const { page, wrong, received } = await open('/');
    const rows = page.locator('tbody tr');
    await rows.first().waitFor();
    expect(await rows.count()).toBeGreaterThan(10);
    // It comes with the servers, by a request of its own.
    await page.getByText(/simulated data/i).waitFor();
    const before = received.length;
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length > 0);
    while (received.length < before + 10) await page.evaluate(() => new Promise(requestAnimationFrame));
    expect(
      received.slice(1).filter((frame) => frame.includes('"SNAPSHOT"') && frame.includes('agentUpdates')),
    ).toHaveLength(1);
    expect(wrong).toEqual([]);
    await page.close();
  }, 60_000);

  test('the playground: markup in what a server says is text', async () => {
    const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
    const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
    const fields = { id: 'uuid', name: 'label', type: 'kind', status: 'state', swarmId: 'team' };
    const mapping = { agents: { tool: 'list_workers', list: 'workers', fields } };
    const server = {
      command: process.execPath,
      args: [serverPath('leaky')],
      env: { SECRETS: JSON.stringify([markup]) },
      swarmlens: { mapping, allowTools: ['break'] },
    };
    await writeFile(join(directory, 'config.json'), JSON.stringify({ mcpServers: { marked: server } }));
    await using other = new Program(['serve', '--config', 'config.json', '--port', '0'], { cwd: directory });
    const origin = (await other.printed(/ready at (\S+)\/graphql/))[1] ?? '';
    const { page, wrong } = await open('/', origin);
    const row = page.locator('tbody tr', { hasText: `worker` }).first();
    await row.waitFor();
    expect(await row.innerText()).toContain(markup);
    await request({ url: origin }, 'mutation { callTool(serverId: "marked", tool: "break") { isError } }');
    await page.waitForFunction((text) => document.body.innerText.includes(`list_workers: no: ${text}`), markup);
    expect(await page.locator('img[src="x"], b').count()).toBe(0);
    expect(await page.title()).not.toBe('1');
    expect(wrong).toEqual([]);
    await page.close();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);
});

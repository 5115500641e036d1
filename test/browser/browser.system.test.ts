import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { serverPath } from '../mcp/support.js';
import { request } from '../support/app.js';
import { type Browser, findChromium, startBrowser } from '../support/chromium.js';
import { Program } from '../support/program.js';
import { openPage } from './page.js';

const executable = findChromium();
// Without Chromium the tests fail in continuous integration and are skipped elsewhere.
const hasChromium = executable !== null || process.env['CI'] === 'true';

describe.skipIf(!hasChromium)(
  `pages in Chromium${hasChromium ? '' : ' (skipped: not on the PATH, and CHROMIUM_PATH is not set)'}`,
  () => {
    let program: Program;
    let url: string;
    let browser: Browser;

    beforeAll(async () => {
      if (executable === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
      program = new Program(['serve', '--demo', '--port', '0'], { cwd: process.cwd() });
      url = (await program.printed(/ready at (\S+)\/graphql/))[1] ?? '';
      browser = await startBrowser(executable);
    });

    afterAll(async () => {
      await browser[Symbol.asyncDispose]();
      await program[Symbol.asyncDispose]();
    });

    test('GraphiQL streams the subscription of its first tab over a WebSocket', async () => {
      await using opened = await openPage(browser, url, '/graphql');
      const { page, errors, received } = opened;
      const run = page.locator('.graphiql-execute-button');
      await run.waitFor();
      expect(await page.locator('.graphiql-tab').count()).toBeGreaterThanOrEqual(5);
      await run.click();
      await page.waitForFunction(
        () => document.querySelector('.result-window')?.textContent.includes('DELTA') === true,
      );
      expect(received.some((frame) => frame.includes('"SNAPSHOT"'))).toBe(true);
      expect(received.some((frame) => frame.includes('"DELTA"'))).toBe(true);
      expect(errors).toEqual([]);
    });

    test('the playground explains the empty state when no server is configured', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
      await writeFile(join(directory, 'config.json'), '{ "mcpServers": {} }');
      await using other = new Program(['serve', '--config', 'config.json', '--port', '0'], { cwd: directory });
      const origin = (await other.printed(/ready at (\S+)\/graphql/))[1] ?? '';
      await using opened = await openPage(browser, origin);
      const { page, errors } = opened;
      await page.locator('#stage-empty', { hasText: 'No agents' }).waitFor();
      await page.getByRole('link', { name: 'Health' }).click();
      await page.locator('#health-note', { hasText: 'No servers.' }).waitFor();
      expect(errors).toEqual([]);
      await rm(directory, { recursive: true, force: true });
    });

    test('the playground shows markup in server data as text', async () => {
      const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
      const directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
      const fields = { id: 'uuid', name: 'label', type: 'kind', status: 'state', swarmId: 'team' };
      const mapping = { agents: { tool: 'list_workers', list: 'workers', fields } };
      const server = {
        command: process.execPath,
        args: [serverPath('leaky')],
        env: { TEXTS: JSON.stringify([markup]) },
        swarmlens: { mapping, allowTools: ['break'] },
      };
      await writeFile(join(directory, 'config.json'), JSON.stringify({ mcpServers: { marked: server } }));
      await using other = new Program(['serve', '--config', 'config.json', '--port', '0'], { cwd: directory });
      const origin = (await other.printed(/ready at (\S+)\/graphql/))[1] ?? '';
      await using opened = await openPage(browser, origin);
      const { page, errors } = opened;
      const row = page.locator('.agent', { hasText: 'worker' }).first();
      await row.waitFor();
      await row.click();
      expect(await page.locator('#details').innerText()).toContain(markup);
      await page.getByRole('link', { name: 'Health' }).click();
      await request({ url: origin }, 'mutation { callTool(serverId: "marked", tool: "break") { isError } }');
      await page.waitForFunction((text) => document.body.innerText.includes(`list_workers: no: ${text}`), markup);
      expect(await page.locator('img[src="x"], b').count()).toBe(0);
      expect(await page.title()).not.toBe('1');
      expect(errors).toEqual([]);
      await rm(directory, { recursive: true, force: true });
    });
  },
);

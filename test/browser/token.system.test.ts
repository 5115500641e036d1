import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runInProcess } from '../cli/run-command.js';
import { PROGRAM } from '../support/app.js';
import { findChromium, startBrowser } from '../support/chromium.js';
import { Program } from '../support/program.js';

const executable = findChromium();
// Without Chromium the test fails in continuous integration and is skipped elsewhere.
const hasChromium = executable !== null || process.env['CI'] === 'true';

describe.skipIf(!hasChromium)(
  `playground with tokens in Chromium${hasChromium ? '' : ' (skipped: not on the PATH, and CHROMIUM_PATH is not set)'}`,
  () => {
    test('requests a token until a valid one is entered, and again after its revocation', async () => {
      if (executable === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
      const cwd = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
      try {
        const simulator = { command: process.execPath, args: [PROGRAM, 'simulate', '--type', 'ruv-swarm'] };
        const config = { mcpServers: { ruv: simulator }, swarmlens: { auth: { tokens: 'swarmlens.tokens.json' } } };
        await writeFile(join(cwd, 'swarmlens.config.json'), JSON.stringify(config));
        const create = async (scopes: string): Promise<string> =>
          (await runInProcess(['token', 'create', '--scopes', scopes], { cwd })).stdout.trimEnd();
        const token = await create('agents:read,health:read');
        const limitedToken = await create('agents:read');
        await using program = new Program(['serve', '--port', '0'], { cwd });
        const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
        await using browser = await startBrowser(executable);
        const page = await browser.context.newPage();
        await page.goto(url);
        const form = page.locator('#token');
        await form.waitFor();
        expect(await form.innerText()).toContain('Token required');
        const enter = async (text: string): Promise<void> => {
          await form.locator('input').fill(text);
          await form.locator('button').click();
        };
        await enter('swl_wrong');
        await form.getByText('Unknown or revoked token').waitFor();
        await enter(token);
        await page.locator('.agent').first().waitFor();
        expect(await form.isVisible()).toBe(false);
        await page.getByRole('link', { name: 'Health' }).click();
        expect(await runInProcess(['token', 'revoke', token.split('_')[1] ?? ''], { cwd })).toMatchObject({ code: 0 });
        await form.getByText('has been revoked').waitFor();
        await enter(limitedToken);
        await page.locator('#health-note', { hasText: 'health:read' }).waitFor();
        await page.locator('#connection', { hasText: 'live' }).waitFor();
        expect(page.url()).not.toContain('swl_');
        expect(
          await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie])),
        ).not.toContain('swl_');
      } finally {
        await rm(cwd, { recursive: true, force: true });
      }
    });
  },
);

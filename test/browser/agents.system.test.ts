import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM } from '../support/app.js';
import { type Browser, findChromium, startBrowser } from '../support/chromium.js';
import { Program } from '../support/program.js';
import { ObservedSessions, TREE_SESSION, WAITING_SESSION } from './observed-sessions.js';
import { openPage, shoot, type WatchedPage } from './page.js';

const executable = findChromium();
// Without Chromium the tests fail in continuous integration and are skipped elsewhere.
const hasChromium = executable !== null || process.env['CI'] === 'true';

const WAITING_ID = `claude:${WAITING_SESSION}`;

describe.skipIf(!hasChromium)(
  `playground with coding agents in Chromium${hasChromium ? '' : ' (skipped: Chromium is not on the PATH)'}`,
  () => {
    let sessions: ObservedSessions;
    let program: Program;
    let browser: Browser;
    let url: string;

    beforeAll(async () => {
      if (executable === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
      sessions = await ObservedSessions.create();
      // The simulation stands still, so that counts can be compared.
      const args = [PROGRAM, 'simulate', '--type', 'claude-flow', '--agents', '9', '--hz', '0'];
      const flow = { command: process.execPath, args, cwd: sessions.project };
      const mcpServers = { ...sessions.servers, flow };
      await writeFile(join(sessions.path, 'config.json'), JSON.stringify({ mcpServers }));
      program = new Program(['serve', '--config', 'config.json', '--port', '0'], { cwd: sessions.path });
      url = (await program.printed(/ready at (\S+)\/graphql/))[1] ?? '';
      browser = await startBrowser(executable);
    });

    afterAll(async () => {
      await browser[Symbol.asyncDispose]();
      // The observers, which write their index, end with the program.
      await program.stop();
      await sessions[Symbol.asyncDispose]();
    });

    /** Opens the page and waits until it shows the agents of all servers. */
    const open = async (path = '/'): Promise<WatchedPage> => {
      const opened = await openPage(browser, url, path);
      await opened.page.locator('.counts').getByText('waiting for you').waitFor();
      await opened.page.waitForFunction(() => {
        const all = document.querySelector('.counts li:last-child strong')?.textContent;
        return Number(all) >= 15;
      });
      return opened;
    };

    /** Returns the numbers of the bar of counts by their text. */
    const countsOf = (page: Page): Promise<Record<string, string>> =>
      page.evaluate(() =>
        Object.fromEntries(
          [...document.querySelectorAll('.count')].map((link) => [
            link.querySelector('span')?.textContent ?? '',
            link.querySelector('strong')?.textContent ?? '',
          ]),
        ),
      );

    test('shows subagents below their session, and opens and closes rows', async () => {
      await using opened = await open('/?q=checkout&server=CLAUDE_CODE');
      const { page, errors } = opened;
      const child = page.locator('.agent', { hasText: 'Review checkout security' });
      await child.waitFor();
      expect(await child.getAttribute('aria-level')).toBe('2');
      const parent = page.locator('.agent.context', { hasText: TREE_SESSION.slice(-4) });
      expect(await parent.getAttribute('aria-level')).toBe('1');
      expect(await child.locator('.model').textContent()).toBe('claude-sonnet-5');
      expect(await child.innerText()).toContain('Read');
      expect(await child.locator('.cost').innerText()).toMatch(/^\$\d+\.\d\d est\.$/);
      await parent.locator('.twist').click();
      await child.waitFor({ state: 'detached' });
      expect(await parent.getAttribute('aria-expanded')).toBe('false');
      await parent.locator('.twist').click();
      await child.waitFor();
      await child.click();
      const details = page.locator('#details');
      await details.getByText('started by').waitFor();
      await details.locator('.agent-link').first().click();
      await page.waitForFunction(
        (id) => new URLSearchParams(location.search).get('agent') === id,
        `claude:${TREE_SESSION}`,
      );
      expect(errors).toEqual([]);
    });

    test('leads from an agent of a hive to the session that works in its directory', async () => {
      await using opened = await open('/?server=CLAUDE_FLOW');
      const { page, errors } = opened;
      await page.locator('.agent', { hasText: 'queen' }).click();
      const session = page.locator('#details p', { hasText: 'work done by' });
      await session.getByText('inferred').waitFor();
      await session.locator('.agent-link').click();
      await page.waitForFunction((id) => new URLSearchParams(location.search).get('agent') === id, WAITING_ID);
      await session.waitFor({ state: 'detached' });
      expect(errors).toEqual([]);
    });

    test('lists waiting agents with reason and age, the longest wait first', async () => {
      await using opened = await open();
      const { page, errors } = opened;
      const waits = page.locator('#waiting li');
      await waits.nth(1).waitFor();
      const texts = await waits.allInnerTexts();
      expect(texts).toEqual([
        expect.stringContaining('needs a permission'),
        expect.stringContaining('needs a permission'),
      ]);
      // Codex records no requests for approval, so that its wait is inferred.
      expect(texts.map((text) => text.includes('inferred'))).toEqual([true, false]);
      const ages = await waits.locator('.age').allInnerTexts();
      expect(ages).toEqual([expect.stringMatching(/^1\d min$/), expect.stringMatching(/^[5-9] min$/)]);
      await waits.last().locator('a').click();
      expect(new URL(page.url()).searchParams.get('agent')).toBe(WAITING_ID);
      await page.locator('#details').getByText('needs a permission').waitFor();
      await page.waitForFunction(() => document.title.startsWith('('));
      await shoot(page, 'agents-1280');
      expect(errors).toEqual([]);
    });

    test('keeps all counts when filters are set, and shows the number of matching agents separately', async () => {
      await using opened = await open();
      const { page, errors } = opened;
      const before = await countsOf(page);
      expect(Number(before['waiting for you'])).toBeGreaterThanOrEqual(2);
      expect(before['cost of agents active today']).toMatch(/^(≥ )?\$[\d.]+ est\.$/);
      await page.locator('.counts').getByText('waiting for you').click();
      await page.locator('#agents-count', { hasText: / of \d+ agents shown/ }).waitFor();
      const shown = (await page.locator('#agents-count').innerText()).split(' ')[0];
      expect(shown).toBe(before['waiting for you']);
      expect(await countsOf(page)).toMatchObject({
        agents: before['agents'],
        'waiting for you': before['waiting for you'],
      });
      await page.locator('.filters > summary').click();
      await page.getByRole('button', { name: /^Codex/ }).click();
      const chip = page.getByRole('button', { name: /^Claude Code/ });
      expect(await chip.locator('.hint').innerText()).not.toBe('0');
      expect(await countsOf(page)).toMatchObject({ agents: before['agents'] });
      expect(errors).toEqual([]);
    });

    test('does not break counts over two lines at 390 pixels', async () => {
      await using opened = await open();
      const { page } = opened;
      await page.setViewportSize({ width: 390, height: 844 });
      const heights = await page.evaluate(() =>
        [...document.querySelectorAll('.count')].map((link) => link.getBoundingClientRect().height),
      );
      expect(Math.max(...heights)).toBeLessThan(45);
      await page.locator('#waiting a').first().click();
      await page.locator('#details').waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
      await shoot(page, 'agents-390');
    });

    test('opens a shared address, ignores garbage in it, and returns with Back', async () => {
      const agent = encodeURIComponent(WAITING_ID);
      await using opened = await open(`/?agent=${agent}&state=waiting&sort=cost&tab=nonsense&server=%00&rate=NOW&x=y`);
      const { page, errors } = opened;
      await page.locator('#details').getByText('needs a permission').waitFor();
      expect(await page.locator('#sort').inputValue()).toBe('cost');
      expect(await page.getByRole('button', { name: /^waiting for you/ }).getAttribute('aria-pressed')).toBe('true');
      await page.getByRole('link', { name: 'Tasks' }).click();
      await page.locator('#board').waitFor();
      await page.goBack();
      await page.locator('#details').getByText('needs a permission').waitFor();
      await page.locator('#details').getByRole('button', { name: 'Close' }).click();
      await page.locator('#details').waitFor({ state: 'detached' });
      await page.goBack();
      await page.locator('#details').waitFor();
      await page.goto(`${url}/?agent=nobody`);
      await page.locator('#details').getByText('not listed').waitFor();
      expect(errors).toEqual([]);
    });

    test('moves to the search with "/", opens the help with "?", and closes everything with Esc', async () => {
      await using opened = await open();
      const { page, errors } = opened;
      await page.keyboard.press('/');
      await page.keyboard.type('release?');
      expect(await page.locator('#search input').inputValue()).toBe('release?');
      await page.keyboard.press('Escape');
      expect(await page.locator('#search input').inputValue()).toBe('');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Help' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog', { name: 'Help' }).waitFor({ state: 'hidden' });
      await page.locator('.counts').getByText('waiting for you').click();
      await page.locator('#waiting a').first().click();
      await page.keyboard.press('Escape');
      await page.locator('#details').waitFor({ state: 'detached' });
      await page.keyboard.press('Escape');
      await page.waitForFunction(() => location.search === '');
      expect(errors).toEqual([]);
    });

    test('shows tasks by status with links to agents and back', async () => {
      await using opened = await open('/?tab=tasks');
      const { page, errors } = opened;
      const board = page.locator('#board');
      for (const title of ['Pending', 'In progress', 'Blocked', 'Completed', 'Failed or canceled'])
        await board.getByRole('heading', { name: title }).waitFor();
      await page.locator('#search input').fill('claude:');
      const task = board.locator('.task', { has: page.locator('.agent-link') }).first();
      await task.waitFor();
      const title = await task.locator('.task-title').innerText();
      await shoot(page, 'tasks-1280', true);
      await task.locator('.agent-link').first().click();
      await page.locator('#details .agent-tasks').getByText(title).click();
      await board.getByText(title).waitFor();
      expect(errors).toEqual([]);
    });

    test('shows markup in tasks as text', async () => {
      const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
      await sessions.addTask('7', markup);
      await using opened = await open('/?tab=tasks');
      const { page, errors } = opened;
      await page.locator('#board').getByText(markup).waitFor();
      expect(await page.locator('img[src="x"], b').count()).toBe(0);
      expect(errors).toEqual([]);
    });

    test('notifies about a wait that begins after the page was opened, once, and not about earlier ones', async () => {
      await browser.context.grantPermissions(['notifications'], { origin: url });
      await using opened = await openPage(browser, url, '/nothing');
      const { page } = opened;
      await page.addInitScript(() => {
        const shown: string[] = [];
        class RecordedNotification extends EventTarget {
          static readonly permission = 'granted';
          static readonly requestPermission = (): Promise<string> => Promise.resolve('granted');
          constructor(title: string) {
            super();
            shown.push(title);
          }
          close(): void {
            shown.push('closed');
          }
        }
        Object.assign(window, { Notification: RecordedNotification, shown });
      });
      await page.goto(url);
      await page.locator('#waiting li').nth(1).waitFor();
      await page.locator('#notify').click();
      await page.getByRole('button', { name: 'Notifications on' }).waitFor();
      const shown = (): Promise<string[]> => page.evaluate(() => (window as unknown as { shown: string[] }).shown); // set by the script above
      expect(await shown()).toEqual([]);
      await sessions.setStatus(TREE_SESSION, 'waiting');
      await page.waitForFunction(() => (window as unknown as { shown: string[] }).shown.length > 0);
      await sessions.setStatus(TREE_SESSION, 'busy');
      await page.waitForFunction(() => (window as unknown as { shown: string[] }).shown.includes('closed'));
      expect(await shown()).toEqual([expect.stringContaining('is waiting for you'), 'closed']);
    });

    test('explains a lost graphics context, and draws the graph again', async () => {
      await using opened = await open();
      const { page } = opened;
      await page.locator('#frames', { hasText: 'ms' }).waitFor({ state: 'attached' });
      await page.evaluate(() => {
        for (const canvas of document.querySelectorAll('canvas'))
          canvas.getContext('webgl2')?.getExtension('WEBGL_lose_context')?.loseContext();
      });
      await page.locator('#stage-empty', { hasText: 'graphics memory' }).waitFor();
      expect(await page.locator('.agent').count()).toBeGreaterThan(0);
      await page.getByRole('button', { name: 'Draw the graph again' }).click();
      await page.locator('#stage-empty').waitFor({ state: 'detached' });
    });

    test('lists agents without WebGL', async () => {
      await using opened = await openPage(browser, url, '/nothing');
      const { page } = opened;
      await page.addInitScript(() => {
        HTMLCanvasElement.prototype.getContext = () => null;
      });
      await page.goto(url);
      await page.locator('#stage-empty', { hasText: 'no WebGL' }).waitFor();
      await page.locator('.agent').first().click();
      await page.locator('#details').waitFor();
    });
  },
);

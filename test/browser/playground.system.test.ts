import { AxeBuilder } from '@axe-core/playwright';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM } from '../support/app.js';
import { type Browser, findChromium, startBrowser } from '../support/chromium.js';
import { Program } from '../support/program.js';
import { waitUntil } from '../support/wait.js';
import { openPage, shoot } from './page.js';

const executable = findChromium();
// Without Chromium the tests fail in continuous integration and are skipped elsewhere.
const hasChromium = executable !== null || process.env['CI'] === 'true';

/** Text of a frame that contains a snapshot of agents. */
const SNAPSHOT = '"agentUpdates":{"kind":"SNAPSHOT"';

describe.skipIf(!hasChromium)(
  `playground in Chromium${hasChromium ? '' : ' (skipped: Chromium is not on the PATH)'}`,
  () => {
    let browser: Browser;
    let directory: string;
    let url: string;
    let simulatorPort: string;
    let simulator: Program;
    let program: Program;

    const simulate = async (port: string): Promise<Program> => {
      const started = new Program(
        ['simulate', '--type', 'ruv-swarm', '--agents', '10', '--transport', 'http', '--port', port],
        { cwd: directory },
      );
      await started.printed(/127\.0\.0\.1:(\d+)/);
      return started;
    };
    const serve = async (port: string): Promise<Program> => {
      const started = new Program(['serve', '--config', 'config.json', '--port', port], { cwd: directory });
      await started.printed(/ready at/);
      return started;
    };

    beforeAll(async () => {
      if (executable === null) throw new Error('Chromium is missing: install it, or set CHROMIUM_PATH');
      directory = await mkdtemp(join(tmpdir(), 'swarmlens-test-'));
      simulator = await simulate('0');
      simulatorPort = (await simulator.printed(/127\.0\.0\.1:(\d+)/))[1] ?? '';
      // Only calls to the killed server may fail. The circuit breaker would also open after a timeout.
      const timeouts = { timeoutMs: 120_000, connectTimeoutMs: 120_000 };
      const flow = {
        command: process.execPath,
        args: [PROGRAM, 'simulate', '--type', 'claude-flow', '--agents', '12'],
        swarmlens: timeouts,
      };
      const swarmlens = { ...timeouts, breaker: { failures: 2, initialMs: 2_000, maxMs: 2_000 } };
      const ruv = { type: 'http', url: `http://127.0.0.1:${simulatorPort}/mcp`, swarmlens };
      await writeFile(join(directory, 'config.json'), JSON.stringify({ mcpServers: { flow, ruv } }));
      program = await serve('0');
      url = (await program.printed(/ready at (\S+)\/graphql/))[1] ?? '';
      browser = await startBrowser(executable);
    });

    afterAll(async () => {
      await browser[Symbol.asyncDispose]();
      await program[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    test('draws and animates the graph without errors and without requests to other hosts', async () => {
      await using opened = await openPage(browser, url);
      const { page, errors, received } = opened;
      await page.locator('.agent').first().waitFor();
      await page.getByText(/simulated data/i).waitFor();
      await untilDrawn(page);
      const before = await page.locator('#stage').screenshot();
      await page.waitForFunction(() => document.querySelectorAll('.agent').length > 10);
      const hasMoved = async (): Promise<boolean> => !(await page.locator('#stage').screenshot()).equals(before);
      await waitUntil(hasMoved, { state: () => ({ frames: received.length, errors }), intervalMs: 100 });
      expect(received.filter((frame) => frame.includes(SNAPSHOT))).toHaveLength(1);
      await shoot(page, 'wide', true);
      expect(errors).toEqual([]);
    });

    test('resumes on the same WebSocket without a snapshot when filters, rate or included parts change', async () => {
      await using opened = await openPage(browser, url);
      const { page, errors, received, sent, sockets, cuts } = opened;
      await page.locator('.agent', { hasText: 'flow' }).first().waitFor();
      await page.locator('.filters > summary').click();
      const snapshotsBefore = received.filter((frame) => frame.includes(SNAPSHOT)).length;
      await page.getByRole('button', { name: /^ruv-swarm/ }).click();
      await page.locator('.agent', { hasText: '· flow' }).first().waitFor({ state: 'detached' });
      expect(await page.locator('.agent', { hasText: '· ruv' }).count()).toBeGreaterThan(0);
      await page.getByText('60 Hz').click();
      const hasMode = (): boolean => sent.some((frame) => frame.includes('HIGH_FREQUENCY'));
      await waitUntil(hasMode, { state: () => sent, intervalMs: 50 });
      await page.getByLabel('neural').uncheck();
      await page.locator('.operation summary').click();
      const operation = page.locator('.operation code');
      await operation.getByText('includeNeural: false').waitFor();
      expect(await operation.textContent()).toMatch(/serverTypes: \[RUV_SWARM\]\s+mode: HIGH_FREQUENCY/);
      const link = (await page.locator('.operation a').getAttribute('href')) ?? '';
      expect(new URL(link, url).searchParams.get('query')).toBe(await operation.textContent());
      await page.getByRole('button', { name: /^ruv-swarm/ }).click();
      await page.locator('.agent', { hasText: '· flow' }).first().waitFor();
      expect(received.filter((frame) => frame.includes(SNAPSHOT))).toHaveLength(snapshotsBefore);
      const resumed = sent.filter((frame) => frame.includes('"after":"'));
      expect(resumed.length).toBeGreaterThanOrEqual(2);
      // On a slow machine the server may have closed the WebSocket, and the page has reconnected.
      if (cuts() > 0) console.log(`the WebSocket was closed ${cuts()} times`);
      expect(sockets).toHaveLength(1 + cuts());
      expect(errors).toEqual([]);
    });

    test('supports list, details, search, graph and filters with the keyboard alone', async () => {
      await using opened = await openPage(browser, url);
      const { page, errors } = opened;
      await page.locator('.agent').nth(3).waitFor();
      await page.locator('#clear').waitFor({ state: 'detached' });
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the list of agents');
      await page.keyboard.press('Enter');
      await page.locator('#agents').focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      const chosen = page.locator('.agent[aria-selected="true"]');
      await chosen.waitFor();
      const name = await page.locator('#details h2').innerText();
      expect(name).not.toBe('');
      await page.keyboard.press('Enter');
      await page.locator('#details').getByRole('button', { name: 'Close' }).focus();
      await page.keyboard.press('Enter');
      await page.locator('#details').waitFor({ state: 'detached' });
      await page.keyboard.press('/');
      await page.keyboard.type(name);
      await page.locator('#agents-count', { hasText: ' of ' }).waitFor();
      expect(await page.locator('.agent').count()).toBeLessThan(5);
      await page.locator('#stage').focus();
      for (const key of ['+', 'ArrowLeft', 'ArrowUp', '-', '0']) await page.keyboard.press(key);
      await page.locator('.filters > summary').focus();
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: /^claude-flow/ }).focus();
      await page.keyboard.press('Space');
      expect(await page.getByRole('button', { name: /^claude-flow/ }).getAttribute('aria-pressed')).toBe('true');
      expect(errors).toEqual([]);
    });

    test('shows tools, discovery, and the circuit breaker of a killed server until the server has recovered', async () => {
      await using opened = await openPage(browser, url, '/?tab=health');
      const { page, errors } = opened;
      const card = page.locator('.server', { has: page.getByRole('heading', { name: 'ruv', exact: true }) });
      await card.getByText('breaker closed').waitFor();
      await card.locator('summary').click();
      await card.getByText('agent_list').first().waitFor();
      await page.getByRole('button', { name: 'Refresh discovery' }).click();
      await page.locator('#refreshed', { hasText: '2 servers' }).waitFor();
      simulator.kill('SIGKILL');
      await simulator.outcome();
      await card.getByText(/stale for/).waitFor();
      await card.getByText(/breaker open · probe in \d/).waitFor();
      await page.locator('#notices li').first().waitFor();
      await page.locator('.counts').getByText('stale').click();
      await page.locator('.agent.stale').first().waitFor();
      expect(await page.locator('.agent.stale .badge:not([data-tone="neutral"])').count()).toBe(0);
      await shoot(page, 'stale', true);
      await page.goBack();
      simulator = await simulate(simulatorPort);
      await card.getByText(/stale for/).waitFor({ state: 'hidden' });
      await card.getByText('breaker closed').waitFor();
      await page.goForward();
      await page.locator('#agents-note').waitFor();
      expect(errors).toEqual([]);
    });

    test('keeps its agents while swarmlens is down and becomes live again after a restart', async () => {
      await using opened = await openPage(browser, url);
      const { page, errors } = opened;
      await page.locator('.agent').first().waitFor();
      program.kill('SIGKILL');
      await program.outcome();
      await page.locator('#connection', { hasText: 'disconnected' }).waitFor();
      expect(await page.locator('.agent').count()).toBeGreaterThan(0);
      program = await serve(new URL(url).port);
      await page.locator('#connection', { hasText: 'live' }).waitFor();
      await page.locator('.agent', { hasText: '· flow' }).first().waitFor();
      // Chromium itself logs failed connections to the console.
      expect(errors.filter((text) => !text.includes('WebSocket connection to'))).toEqual([]);
    });

    test('requests a lower update rate when it draws only a few frames per second', async () => {
      await using opened = await openPage(browser, url, '/nothing');
      const { page, sent } = opened;
      await page.addInitScript(() => {
        window.requestAnimationFrame = (draw) => window.setTimeout(() => draw(performance.now()), 250);
      });
      await page.goto(url);
      await page.locator('#frames', { hasText: /limited to [1-8]\.0 Hz by this page/ }).waitFor({ state: 'attached' });
      expect(sent.some((frame) => frame.includes('setMaxHz'))).toBe(true);
      await page.locator('#frames', { hasText: /of [1-8]\.0 Hz/ }).waitFor({ state: 'attached' });
    });

    test.each([
      ['dark', { width: 1400, height: 900 }],
      ['light', { width: 390, height: 844 }],
    ] as const)('fits the viewport and passes axe in %s mode at %o', async (colorScheme, viewport) => {
      await using opened = await openPage(browser, url);
      const { page, errors } = opened;
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await page.locator('.agent').first().click();
      await untilDrawn(page);
      for (const tab of ['Agents', 'Tasks', 'Health']) {
        await page.getByRole('link', { name: tab, exact: true }).click();
        await page
          .locator({ Agents: '#details', Tasks: '.task', Health: '.server' }[tab] ?? '')
          .first()
          .waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width);
        await shoot(page, `${tab.toLowerCase()}-${colorScheme}-${viewport.width}`, true);
        const { passes, violations } = await new AxeBuilder({ page }).analyze();
        expect(passes.map(({ id }) => id)).toContain('color-contrast');
        const severe = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(severe.map(({ id, nodes }) => ({ tab, id, where: nodes.map(({ html }) => html) }))).toEqual([]);
      }
      expect(errors).toEqual([]);
    });
  },
);

/** Waits until the page shows the time of a drawn frame. */
async function untilDrawn(page: Page): Promise<void> {
  await page.locator('#frames', { hasText: 'ms' }).waitFor({ state: 'attached' });
}

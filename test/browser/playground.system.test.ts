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
// On a continuous integration machine a missing browser is a failure, elsewhere a skipped suite.
const here = executable !== null || process.env['CI'] === 'true';

/** An update of agents that starts from nothing, in a frame of the socket. */
const SNAPSHOT = '"agentUpdates":{"kind":"SNAPSHOT"';

describe.skipIf(!here)(`the playground${here ? '' : ' (skipped: Chromium is not on the PATH)'}`, () => {
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
    // Calls of a killed server fail at once; no other call may expire, or the breaker opens by itself.
    const patient = { timeoutMs: 120_000, connectTimeoutMs: 120_000 };
    const flow = {
      command: process.execPath,
      args: [PROGRAM, 'simulate', '--type', 'claude-flow', '--agents', '12'],
      swarmlens: patient,
    };
    const swarmlens = { ...patient, breaker: { failures: 2, initialMs: 2_000, maxMs: 2_000 } };
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

  test('the graph appears and moves, with nothing from another host and no error', async () => {
    await using opened = await openPage(browser, url);
    const { page, wrong, received } = opened;
    await page.locator('.agent').first().waitFor();
    await page.getByText(/simulated data/i).waitFor();
    await drawn(page);
    const before = await page.locator('#stage').screenshot();
    await page.waitForFunction(() => document.querySelectorAll('.agent').length > 10);
    const hasMoved = async (): Promise<boolean> => !(await page.locator('#stage').screenshot()).equals(before);
    await waitUntil(hasMoved, { state: () => ({ frames: received.length, wrong }), intervalMs: 100 });
    expect(received.filter((frame) => frame.includes(SNAPSHOT))).toHaveLength(1);
    await shoot(page, 'wide', true);
    expect(wrong).toEqual([]);
  });

  test('other filters, another rate and other parts resume on the same socket, without a snapshot', async () => {
    await using opened = await openPage(browser, url);
    const { page, wrong, received, sent, sockets, cuts } = opened;
    await page.locator('.agent', { hasText: 'flow' }).first().waitFor();
    const already = received.filter((frame) => frame.includes(SNAPSHOT)).length;
    await page.getByRole('button', { name: /^ruv-swarm/ }).click();
    await page.locator('.agent', { hasText: '· flow' }).first().waitFor({ state: 'detached' });
    expect(await page.locator('.agent', { hasText: '· ruv' }).count()).toBeGreaterThan(0);
    await page.getByText('60 Hz').click();
    await page.locator('#figures').getByText('of 60 Hz').waitFor();
    await page.getByLabel('neural').uncheck();
    await page.locator('.operation summary').click();
    const operation = page.locator('.operation code');
    await operation.getByText('includeNeural: false').waitFor();
    expect(await operation.textContent()).toMatch(/serverTypes: \[RUV_SWARM\]\s+mode: HIGH_FREQUENCY/);
    const link = (await page.locator('.operation a').getAttribute('href')) ?? '';
    expect(new URL(link, url).searchParams.get('query')).toBe(await operation.textContent());
    await page.getByRole('button', { name: /^ruv-swarm/ }).click();
    await page.locator('.agent', { hasText: '· flow' }).first().waitFor();
    expect(received.filter((frame) => frame.includes(SNAPSHOT))).toHaveLength(already);
    const resumed = sent.filter((frame) => frame.includes('"after":"'));
    expect(resumed.length).toBeGreaterThanOrEqual(4);
    // On a slow machine the page may have been cut and have come back.
    if (cuts() > 0) console.log(`the socket was cut ${cuts()} times`);
    expect(sockets).toHaveLength(1 + cuts());
    expect(wrong).toEqual([]);
  });

  test('with keys alone: to the list, through it, to the details, the filters and the graph', async () => {
    await using opened = await openPage(browser, url);
    const { page, wrong } = opened;
    await page.locator('.agent').nth(3).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the list of agents');
    await page.keyboard.press('Enter');
    await page.locator('#agents').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const chosen = page.locator('.agent[aria-selected="true"]');
    expect(await chosen.count()).toBe(1);
    const name = await page.locator('#details h3').innerText();
    expect(name).not.toBe('');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Close');
    await page.keyboard.press('Enter');
    expect(await page.locator('#details').isVisible()).toBe(false);
    await page.locator('#search input').focus();
    await page.keyboard.type(name);
    await page.locator('#agents-count', { hasText: ' of ' }).waitFor();
    expect(await page.locator('.agent').count()).toBeLessThan(5);
    await page.locator('#stage').focus();
    for (const key of ['+', 'ArrowLeft', 'ArrowUp', '-', '0']) await page.keyboard.press(key);
    await page.getByRole('button', { name: /^claude-flow/ }).focus();
    await page.keyboard.press('Space');
    expect(await page.getByRole('button', { name: /^claude-flow/ }).getAttribute('aria-pressed')).toBe('true');
    expect(wrong).toEqual([]);
  });

  test('a killed server is stale, its breaker opens and counts down, and it comes back; tools and discovery are shown', async () => {
    await using opened = await openPage(browser, url);
    const { page, wrong } = opened;
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
    await page.locator('.agent.stale').first().waitFor();
    await page.locator('#notices li').first().waitFor();
    await shoot(page, 'stale', true);
    simulator = await simulate(simulatorPort);
    await card.getByText(/stale for/).waitFor({ state: 'hidden' });
    await card.getByText('breaker closed').waitFor();
    await page.waitForFunction(() => document.querySelector('.agent.stale') === null);
    expect(wrong).toEqual([]);
  });

  test('when the server goes the page says so and keeps what it knows, and is live again when it is back', async () => {
    await using opened = await openPage(browser, url);
    const { page, wrong } = opened;
    await page.locator('.agent').first().waitFor();
    program.kill('SIGKILL');
    await program.outcome();
    await page.locator('#connection', { hasText: 'disconnected' }).waitFor();
    expect(await page.locator('.agent').count()).toBeGreaterThan(0);
    program = await serve(new URL(url).port);
    await page.locator('#connection', { hasText: 'live' }).waitFor();
    await page.locator('.agent', { hasText: '· flow' }).first().waitFor();
    // A browser itself tells on the console that it could not connect.
    expect(wrong.filter((text) => !text.includes('WebSocket connection to'))).toEqual([]);
  });

  test.each([
    ['dark', { width: 1280, height: 900 }],
    ['light', { width: 390, height: 844 }],
  ] as const)('%s, %o: everything fits, and axe finds nothing serious', async (colorScheme, viewport) => {
    await using opened = await openPage(browser, url);
    const { page, wrong } = opened;
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    await page.locator('.agent').first().click();
    await page.locator('.server').nth(1).waitFor();
    await drawn(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width);
    await shoot(page, `${colorScheme}-${viewport.width}`, true);
    const { passes, violations } = await new AxeBuilder({ page }).analyze();
    expect(passes.map(({ id }) => id)).toContain('color-contrast');
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(grave.map(({ id, nodes }) => ({ id, where: nodes.map(({ html }) => html) }))).toEqual([]);
    expect(wrong).toEqual([]);
  });
});

/** Waits until the graph has been drawn once and more. */
async function drawn(page: Page): Promise<void> {
  await page.locator('#frames', { hasText: 'ms' }).waitFor({ state: 'attached' });
}

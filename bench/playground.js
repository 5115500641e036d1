// Measures the first paint of the playground and its frames with 1,000 and 10,000 moving agents in Chromium. "script" is the
// CPU time of the page's own code. "between frames" includes everything else, such as software rendering without a GPU.
// Usage: node bench/playground.js [--agents 1000,10000] [--seconds N]
// Environment: CHROMIUM_PATH, path of Chromium (default: /usr/bin/chromium)
/* global document, requestAnimationFrame -- used by functions that run in the page */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { median, percentile } from './support/statistics.js';

const SERVERS = 4;
const PROGRAM = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const { values } = parseArgs({
  options: { agents: { type: 'string', default: '1000,10000' }, seconds: { type: 'string', default: '10' } },
});
const seconds = Number(values.seconds);

/** Starts swarmlens with this number of simulated agents. Polls each simulator twice per second. */
async function serve(directory, agents) {
  const simulator = (index) => {
    const type = ['ruv-swarm', 'claude-flow'][index % 2];
    const flags = ['--agents', `${agents / SERVERS}`, '--seed', `${index}`, '--hz', '2'];
    return {
      command: process.execPath,
      args: [PROGRAM, 'simulate', '--type', type, ...flags],
      swarmlens: { maxPollHz: 2 },
    };
  };
  const mcpServers = Object.fromEntries(Array.from({ length: SERVERS }, (_, index) => [`s${index}`, simulator(index)]));
  await writeFile(join(directory, 'config.json'), JSON.stringify({ mcpServers }));
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--config', 'config.json', '--port', '0'], {
    cwd: directory,
  });
  child.stdout.setEncoding('utf8');
  for (let printed = ''; ;) {
    const [chunk] = await once(child.stdout, 'data');
    printed += chunk;
    const [, url] = /ready at (\S+)\/graphql/.exec(printed) ?? [];
    if (url !== undefined) return { url, child };
  }
}

async function measure(browser, url, agents) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(120_000);
  await page.goto(url);
  await page.waitForFunction((expected) => {
    const total = document.querySelector('.counts li:last-child strong');
    return Number(total?.textContent) > expected * 0.8;
  }, agents);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const before = await scriptSeconds(session);
  const { between, firstPaintMs } = await page.evaluate(async (forMs) => {
    const frames = [];
    const end = performance.now() + forMs;
    for (let last = await new Promise(requestAnimationFrame); performance.now() < end;) {
      const now = await new Promise(requestAnimationFrame);
      frames.push(now - last);
      last = now;
    }
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    return { between: frames, firstPaintMs: paint?.startTime ?? Number.NaN };
  }, seconds * 1_000);
  const scriptMs = ((await scriptSeconds(session)) - before) * 1_000;
  await page.close();
  return { firstPaintMs, between: between.sort((a, b) => a - b), scriptMs: scriptMs / between.length };
}

async function scriptSeconds(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'ScriptDuration').value;
}

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--no-first-run'];
for (const agents of values.agents.split(',').map(Number)) {
  const directory = await mkdtemp(join(tmpdir(), 'swarmlens-bench-'));
  const { url, child } = await serve(directory, agents);
  const browser = await chromium.launch({ executablePath, headless: true, args });
  try {
    const { firstPaintMs, between, scriptMs } = await measure(browser, url, agents);
    const figures = [
      `${agents} agents`,
      `first paint ${firstPaintMs.toFixed(0)} ms`,
      `script ${scriptMs.toFixed(1)} ms per frame`,
      `between frames: ${median(between).toFixed(1)} ms, p95 ${percentile(between, 0.95).toFixed(1)} ms`,
    ];
    console.log(figures.join(' · '));
  } finally {
    await browser.close();
    child.kill('SIGTERM');
    await once(child, 'close');
    await rm(directory, { recursive: true, force: true });
  }
}

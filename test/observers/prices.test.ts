import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createClaudeCodeSource, MODEL_PRICES, PriceFileError, PriceList } from '../../src/observers/index.js';
import { TemporaryDirectory } from '../support/temporary-directory.js';
import { ScenarioFiles, SourceReader } from './claude-scenario.js';

const NONE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, longCacheWrite: 0 };

describe('PriceList', () => {
  test('adds up the prices of all kinds of tokens', () => {
    const tokens = { input: 1_092, output: 297, cacheRead: 90, cacheWrite: 0, longCacheWrite: 0 };

    // As Claude Code computed it for the same tokens.
    expect(new PriceList().estimate([{ ...tokens, model: 'claude-opus-4-8' }])).toBeCloseTo(0.01293, 10);
  });

  test('distinguishes cache entries that are kept for an hour', () => {
    const tokens = { ...NONE, model: 'claude-opus-5', cacheWrite: 1_000_000, longCacheWrite: 400_000 };

    expect(new PriceList().estimate([tokens])).toBeCloseTo(0.6 * 6.25 + 0.4 * 10, 10);
  });

  test.each([
    'claude-sonnet-5',
    'claude-sonnet-5[1m]',
    'claude-sonnet-4-5-20250929',
    'claude-opus-4@20250514',
    'gpt-5.3-codex',
    'gpt-5.2-2025-12-11',
  ])('knows the model %s', (model) => {
    expect(new PriceList().estimate([{ ...NONE, model, input: 1 }])).toBeGreaterThan(0);
  });

  test.each(['gpt-9', 'gpt-5.6-sol', 'claude-sonnet-5-x', null])('returns null for the unknown model %s', (model) => {
    const known = { ...NONE, model: 'claude-opus-5', input: 1 };

    expect(new PriceList().estimate([known, { ...NONE, model, input: 1 }])).toBeNull();
  });

  test('reads a file that replaces prices and adds to them', async () => {
    await using directory = await TemporaryDirectory.create();
    const price = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
    await writeFile(directory.path('prices.json'), JSON.stringify({ 'my-model': price, 'claude-opus-5': price }));
    const prices = await PriceList.read(directory.path('prices.json'));

    expect(prices.estimate([{ ...NONE, model: 'my-model', output: 1_000_000 }])).toBe(2);
    expect(prices.estimate([{ ...NONE, model: 'claude-opus-5', cacheWrite: 500_000, longCacheWrite: 500_000 }])).toBe(
      2,
    );
    expect(prices.estimate([{ ...NONE, model: 'claude-opus-4-8', input: 1_000_000 }])).toBe(5);
  });

  test.each([
    ['{', 'prices.json'],
    ['{"a": {"input": 1}}', 'a.output'],
    ['{"a": {"input": -1, "output": 1, "cacheRead": 1, "cacheWrite": 1}}', 'a.input'],
    ['[]', 'prices.json'],
  ])('rejects a file with %s and names the mistake', async (text, place) => {
    await using directory = await TemporaryDirectory.create();
    await writeFile(directory.path('prices.json'), text);

    const reading = PriceList.read(directory.path('prices.json'));
    await expect(reading).rejects.toThrow(PriceFileError);
    await expect(reading).rejects.toThrow(place);
  });

  test('contains plausible prices', () => {
    for (const [model, { input, output, cacheRead, cacheWrite, longCacheWrite }] of Object.entries(MODEL_PRICES)) {
      expect([
        model,
        cacheRead < input,
        input <= cacheWrite,
        cacheWrite < (longCacheWrite ?? Infinity),
        input < output,
      ]).toEqual([model, true, true, true, true]);
    }
  });
});

test('ClaudeCodeSource marks the cost of an agent as estimated', () => {
  const reader = new SourceReader(createClaudeCodeSource({ shownText: 'none', prices: new PriceList() }));
  reader.readAll(ScenarioFiles.of('claude-code', 'session-tools'));
  const [agent] = [...reader.agents().values()];

  // 21 input, 725 output, 9,820 cache writes for an hour and 78,800 cache reads of claude-sonnet-5.
  expect(agent?.usage?.costUsd).toBeCloseTo((21 * 2 + 725 * 10 + 9_820 * 4 + 78_800 * 0.2) / 1_000_000, 10);
  expect(agent?.usage?.costEstimated).toBe(true);
});

/** Prices of a model in US dollars per million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  /** Price of a cache entry that is kept for minutes. */
  readonly cacheWrite: number;
  /** Price of a cache entry that is kept for an hour. Null if it is the same. */
  readonly longCacheWrite: number | null;
}

/**
 * List prices by model, without date and suffix of the model's name: those of Anthropic of 2026-11-29
 * (https://platform.claude.com/docs/en/about-claude/pricing), those of OpenAI of 2026-05-05
 * (https://developers.openai.com/api/docs/models/gpt-5-codex, https://github.com/github/docs/blob/main/data/tables/copilot/models-and-pricing.yml,
 * https://fernando-nog.netlify.app/gpt-coding-model-costs-2026/).
 * Models whose price depends on the length of the prompt are omitted, as all models of OpenAI since GPT-5.4. `--prices` replaces
 * and adds entries.
 */
export const MODEL_PRICES: Readonly<Record<string, ModelPrice>> = {
  'claude-fable-5-1': { input: 10, output: 50, cacheRead: 0.25, cacheWrite: 12.5, longCacheWrite: 20 },
  'claude-fable-5': { input: 10, output: 50, cacheRead: 1, cacheWrite: 12.5, longCacheWrite: 20 },
  'claude-opus-5-5': { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5, longCacheWrite: 8 },
  'claude-opus-5': { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25, longCacheWrite: 10 },
  'claude-opus-4-8': { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25, longCacheWrite: 10 },
  'claude-opus-4-7': { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25, longCacheWrite: 10 },
  'claude-opus-4-6': { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25, longCacheWrite: 10 },
  'claude-opus-4-5': { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25, longCacheWrite: 10 },
  'claude-opus-4-1': { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75, longCacheWrite: 30 },
  'claude-opus-4': { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75, longCacheWrite: 30 },
  'claude-sonnet-5-5': { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, longCacheWrite: 4 },
  'claude-sonnet-5': { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, longCacheWrite: 4 },
  'claude-sonnet-4-6': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, longCacheWrite: 6 },
  'claude-sonnet-4-5': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, longCacheWrite: 6 },
  'claude-sonnet-4': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, longCacheWrite: 6 },
  'claude-haiku-4-5': { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25, longCacheWrite: 2 },
  // OpenAI charges nothing for writing to the cache: the tokens cost as much as other input.
  'gpt-5-codex': { input: 1.25, output: 10, cacheRead: 0.125, cacheWrite: 1.25, longCacheWrite: null },
  'gpt-5.1-codex': { input: 1.25, output: 10, cacheRead: 0.125, cacheWrite: 1.25, longCacheWrite: null },
  'gpt-5.1-codex-max': { input: 1.25, output: 10, cacheRead: 0.125, cacheWrite: 1.25, longCacheWrite: null },
  'gpt-5.2': { input: 1.75, output: 14, cacheRead: 0.175, cacheWrite: 1.75, longCacheWrite: null },
  'gpt-5.2-codex': { input: 1.75, output: 14, cacheRead: 0.175, cacheWrite: 1.75, longCacheWrite: null },
  'gpt-5.3-codex': { input: 1.75, output: 14, cacheRead: 0.175, cacheWrite: 1.75, longCacheWrite: null },
};

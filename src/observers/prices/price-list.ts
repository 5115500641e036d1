import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorMessage } from '../../shared/index.js';
import { MODEL_PRICES, type ModelPrice } from './model-prices.js';

/** Tokens of one model. */
export interface PricedTokens {
  readonly model: string | null;
  /** Without cached tokens. */
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  /** All tokens that were written to a cache. */
  readonly cacheWrite: number;
  /** Part of `cacheWrite` that is kept for an hour. */
  readonly longCacheWrite: number;
}

const TOKENS_PER_UNIT = 1_000_000;
const amount = z.number().min(0);
const priceFileSchema = z.record(
  z.string().min(1),
  z.strictObject({
    input: amount,
    output: amount,
    cacheRead: amount,
    cacheWrite: amount,
    longCacheWrite: amount.nullable().default(null),
  }),
);

/** Error of a price file that cannot be used. The message names the file and the reason. */
export class PriceFileError extends Error {
  override readonly name = 'PriceFileError';
}

/** Prices by model, by which the cost of tokens is estimated. */
export class PriceList {
  readonly #prices: ReadonlyMap<string, ModelPrice>;

  /** @param changes prices that replace those of the bundled list or add to them */
  constructor(changes: Readonly<Record<string, ModelPrice>> = {}) {
    this.#prices = new Map(Object.entries({ ...MODEL_PRICES, ...changes }));
  }

  /**
   * Reads a list from a JSON file with the prices of models by their names, per million tokens.
   * @throws PriceFileError if the file cannot be read or has another shape
   */
  static async read(file: string): Promise<PriceList> {
    try {
      return new PriceList(priceFileSchema.parse(JSON.parse(await readFile(file, 'utf8'))));
    } catch (error) {
      const [issue] = error instanceof z.ZodError ? error.issues : [];
      const reason =
        issue === undefined ? errorMessage(error) : `${issue.path.map(String).join('.')}: ${issue.message}`;
      throw new PriceFileError(`${file}: ${reason}`);
    }
  }

  /** Returns the cost of tokens in US dollars. Null if the price of one of the models is unknown. */
  estimate(tokens: readonly PricedTokens[]): number | null {
    let usd = 0;
    for (const used of tokens) {
      const price = used.model === null ? null : this.#priceOf(used.model);
      if (price === null) return null;
      const { input, output, cacheRead, cacheWrite, longCacheWrite } = used;
      usd +=
        input * price.input +
        output * price.output +
        cacheRead * price.cacheRead +
        (cacheWrite - longCacheWrite) * price.cacheWrite +
        longCacheWrite * (price.longCacheWrite ?? price.cacheWrite);
    }
    return usd / TOKENS_PER_UNIT;
  }

  #priceOf(model: string): ModelPrice | null {
    const exact = this.#prices.get(model);
    if (exact !== undefined) return exact;
    const name = model.replace(/\[1m\]$/i, '').replace(/[-@]\d{4}-?\d{2}-?\d{2}$/, '');
    return this.#prices.get(name) ?? null;
  }
}

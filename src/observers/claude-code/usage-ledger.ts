import { hashText } from '../input/hash-text.js';
import type { PricedTokens } from '../prices/price-list.js';

/** Tokens of one answer of the model. */
export type TokenAmounts = Omit<PricedTokens, 'model'>;

const AMOUNTS_PER_ROW = 5;
const INITIAL_ROWS = 8;
/** Growth of the arrays, which are kept for every transcript and should not be half empty. */
const GROWTH = 1.25;
/** Greatest number of tokens of one kind in one answer. */
const MAX_AMOUNT = 2 ** 32 - 1;
/** Number of the newest answers that a repeated record may belong to. */
const MAX_REPEATED_ROWS = 1_024;
const MAX_MODELS = 255;

/**
 * Tokens of all answers in one transcript. Several records repeat the usage of one answer, early ones with placeholders, so that
 * the maximum of each amount counts. Copies of a session repeat its answers, so that the answers are kept apart. One row takes 29
 * bytes.
 */
export interface UsageLedger {
  rows: number;
  keys: Float64Array;
  amounts: Uint32Array;
  models: Uint8Array;
  readonly modelNames: string[];
}

export function createUsageLedger(): UsageLedger {
  return {
    rows: 0,
    keys: new Float64Array(INITIAL_ROWS),
    amounts: new Uint32Array(INITIAL_ROWS * AMOUNTS_PER_ROW),
    models: new Uint8Array(INITIAL_ROWS),
    modelNames: [],
  };
}

/**
 * Records the usage that one record reports.
 * @param answerId id of the answer that the record belongs to
 */
export function recordUsage(ledger: UsageLedger, answerId: string, model: string | null, usage: TokenAmounts): void {
  const key = hashText(answerId);
  const firstRow = Math.max(0, ledger.rows - MAX_REPEATED_ROWS);
  const found = ledger.keys.subarray(firstRow, ledger.rows).lastIndexOf(key);
  const row = found >= 0 ? firstRow + found : addRow(ledger, key);
  const values = [usage.input, usage.output, usage.cacheWrite, usage.cacheRead, usage.longCacheWrite];
  for (const [column, value] of values.entries()) {
    const index = row * AMOUNTS_PER_ROW + column;
    ledger.amounts[index] = Math.max(ledger.amounts[index] ?? 0, Math.min(Math.floor(value), MAX_AMOUNT));
  }
  if (model !== null) ledger.models[row] = modelIndex(ledger, model);
}

/** Returns the tokens per model of the answers that `isCounted` accepts by their keys. */
export function sumUsage(
  { rows, keys, amounts, models, modelNames }: UsageLedger,
  isCounted: (key: number) => boolean,
): readonly PricedTokens[] {
  const sums = new Map<number, number[]>();
  for (let row = 0; row < rows; row += 1) {
    if (!isCounted(keys[row] ?? 0)) continue;
    const model = models[row] ?? 0;
    const sum = sums.get(model) ?? [0, 0, 0, 0, 0];
    for (let column = 0; column < AMOUNTS_PER_ROW; column += 1) {
      sum[column] = (sum[column] ?? 0) + (amounts[row * AMOUNTS_PER_ROW + column] ?? 0);
    }
    sums.set(model, sum);
  }
  return [...sums].map(([model, [input = 0, output = 0, cacheWrite = 0, cacheRead = 0, longCacheWrite = 0]]) => ({
    // Index 0 stands for an unknown model.
    model: modelNames[model - 1] ?? null,
    input,
    output,
    cacheWrite,
    cacheRead,
    longCacheWrite,
  }));
}

/** Returns the keys of all answers, in the order of their first records. */
export function answerKeys({ rows, keys }: UsageLedger): Float64Array {
  return keys.subarray(0, rows);
}

function addRow(ledger: UsageLedger, key: number): number {
  const row = ledger.rows;
  if (row === ledger.keys.length) {
    const { keys, amounts, models } = ledger;
    const rows = Math.ceil(GROWTH * row);
    ledger.keys = new Float64Array(rows);
    ledger.keys.set(keys);
    ledger.amounts = new Uint32Array(rows * AMOUNTS_PER_ROW);
    ledger.amounts.set(amounts);
    ledger.models = new Uint8Array(rows);
    ledger.models.set(models);
  }
  ledger.keys[row] = key;
  ledger.rows += 1;
  return row;
}

function modelIndex({ modelNames }: UsageLedger, model: string): number {
  const index = modelNames.indexOf(model);
  if (index >= 0) return index + 1;
  if (modelNames.length >= MAX_MODELS) return 0;
  return modelNames.push(model);
}

import { parseArgs, type ParseArgsConfig } from 'node:util';
import { didYouMean } from '../shared/index.js';
import { UsageError } from './help.js';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

/**
 * The flags of a command.
 * @throws UsageError naming what is unknown or missing
 */
export function parseFlags<const O extends Options>(command: string, args: readonly string[], options: O): Values<O> {
  for (const arg of args) {
    const flag = /^--([^=]+)/.exec(arg)?.[1];
    if (flag !== undefined && !Object.hasOwn(options, flag)) {
      throw new UsageError(`swarmlens ${command}: there is no flag --${flag}${didYouMean(flag, Object.keys(options))}`);
    }
  }
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(`swarmlens ${command}: ${message.replace(/\s+/g, ' ')}`);
  }
}

/** @throws UsageError when it is no whole number within the bounds */
export function parseWholeNumber(
  command: string,
  flag: string,
  text: string | undefined,
  preset: number,
  max: number,
  min = 0,
): number {
  if (text === undefined) return preset;
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`swarmlens ${command}: --${flag} is "${text}", expected a whole number from ${min} to ${max}`);
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Longer than anybody means: a hundred years. */
const MAX_MS = 100 * 366 * 86_400_000;

/** Milliseconds of `30d`, `12h`, `15m`, `90s` or `2w`; `null` when it is none of these, or nothing, or without end. */
export function parseDuration(text: string): number | null {
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? NaN);
  return ms > 0 && ms <= MAX_MS ? ms : null;
}

import { parseArgs, type ParseArgsConfig } from 'node:util';
import { MCP_SERVER_TYPES, type McpServerType } from '../model/index.js';
import { didYouMean } from '../shared/index.js';
import { UsageError } from './help.js';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];

/**
 * Parses the flags of a command.
 * @throws UsageError if a flag is unknown or lacks its value
 */
export function parseFlags<const O extends Options>(command: string, args: readonly string[], options: O): Values<O> {
  for (const arg of args) {
    const flag = /^--([^=]+)/.exec(arg)?.[1];
    if (flag !== undefined && !Object.hasOwn(options, flag)) {
      throw new UsageError(`swarmlens ${command}: unknown flag --${flag}${didYouMean(flag, Object.keys(options))}`);
    }
  }
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(`swarmlens ${command}: ${message.replace(/\s+/g, ' ')}`);
  }
}

/**
 * Parses the value of a numeric flag.
 * @param fallback value if the flag is not given
 * @throws UsageError if the text is not a whole number from `min` to `max`
 */
export function parseWholeNumber(
  command: string,
  flag: string,
  text: string | undefined,
  fallback: number,
  max: number,
  min = 0,
): number {
  if (text === undefined) return fallback;
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

/** Longest duration: a hundred years. */
const MAX_MS = 100 * 366 * 86_400_000;

/**
 * Parses a duration such as `30d`, `12h`, `15m`, `90s` or `2w` into milliseconds. Returns null if it is invalid, zero or
 * too long.
 */
export function parseDuration(text: string): number | null {
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? NaN);
  return ms > 0 && ms <= MAX_MS ? ms : null;
}

/**
 * Parses a comma-separated list. Returns null if the flag is not given.
 * @throws UsageError if an entry is empty
 */
export function parseList(command: string, flag: string, text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const values = text.split(',').map((value) => value.trim());
  if (!values.includes('')) return values;
  throw new UsageError(`swarmlens ${command}: --${flag} has an empty entry, expected entries separated by one comma`);
}

/**
 * Parses a list of server types in any case, with hyphens or underscores. Returns null if the flag is not given.
 * @throws UsageError if a type is unknown
 */
export function parseServerTypes(command: string, flag: string, text: string | undefined): McpServerType[] | null {
  const types = parseList(command, flag, text)?.map((entry) => {
    const type = MCP_SERVER_TYPES.find((candidate) => candidate === entry.toUpperCase().replaceAll('-', '_'));
    if (type !== undefined) return type;
    throw new UsageError(`swarmlens ${command}: --${flag} has "${entry}", expected ${MCP_SERVER_TYPES.join(', ')}`);
  });
  return types ?? null;
}

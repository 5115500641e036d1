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

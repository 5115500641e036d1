import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;

/** @throws Error if a line is invalid for Prometheus or repeats a series */
export function parseMetrics(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, { name: string; help: string; type: string; samples: Sample[] }>();
  const seen = new Set<string>();
  let current: { name: string; help: string; type: string; samples: Sample[] } | null = null;
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      if (families.has(name)) throw new Error(`twice: ${name}`);
      families.set(name, (current = { name, help: rest, type: '', samples: [] }));
    } else if (kind === 'TYPE' && current?.name === name) {
      current.type = rest;
    } else if (line !== '') {
      const sample = sampleOf(line);
      if (current?.name !== familyOf(sample.name, current)) {
        throw new Error(`of no family: ${line}`);
      }
      const series = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(series)) throw new Error(`twice: ${line}`);
      seen.add(series);
      current.samples.push(sample);
    }
  }
  return families;
}

/** Returns the family of a sample. Samples of a histogram have a suffix. */
function familyOf(name: string, family: { readonly type: string } | null): string {
  return family?.type === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name;
}

function sampleOf(line: string): Sample {
  const [, name, labelText = '', number] = SAMPLE.exec(line) ?? [];
  if (name === undefined || number === undefined) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labelText.length) {
    const [, label, value = ''] = LABEL.exec(labelText) ?? [];
    if (label === undefined) throw new Error(`no labels: ${line}`);
    labels[label] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  const value = number === '+Inf' ? Infinity : Number(number);
  if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return { name, labels, value };
}

/**
 * Returns the value of the only sample with at least these labels.
 * @throws Error if no sample or more than one has them
 */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = families.get(name.replace(/_(bucket|sum|count)$/, '')) ?? families.get(name);
  const found = (family?.samples ?? []).filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  const [one] = found;
  if (one === undefined || found.length > 1)
    throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`);
  return one.value;
}

export function seriesOf(families: ReadonlyMap<string, Family>): readonly string[] {
  return [...families.values()]
    .flatMap(({ samples }) => samples.map(({ name, labels }) => JSON.stringify([name, labels])))
    .sort();
}

const PROMTOOL = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'promtool'))
  .find((path) => existsSync(path));

/** Whether tests that need promtool run. In continuous integration they fail without it, elsewhere they are skipped. */
export const hasPromtool = PROMTOOL !== undefined || process.env['CI'] === 'true';
export const promtoolHint = hasPromtool ? '' : ' (skipped: promtool is not on the PATH)';

/** Runs promtool and returns its exit code and output. */
export function promtool(
  args: readonly string[],
  input = '',
): { readonly code: number | null; readonly output: string } {
  if (PROMTOOL === undefined) throw new Error('promtool is missing: install Prometheus');
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { input, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
}

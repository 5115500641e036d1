const UP = {
  head: [
    '# HELP swarmlens_worker_up Whether the metrics include those of the worker: 1 if it answered in time, otherwise 0.',
    '# TYPE swarmlens_worker_up gauge',
  ],
  name: 'swarmlens_worker_up',
};

/**
 * Merges the metrics of all workers into one text in the Prometheus format. Adds the label `worker` to each series and the
 * metric `swarmlens_worker_up`.
 * @param texts metrics of the workers from number 1, as prom-client formats them, or null for workers without an answer
 */
export function mergeMetrics(texts: readonly (string | null)[]): string {
  const families = new Map<string, string[]>();
  const up = [...UP.head];
  for (const [index, text] of texts.entries()) {
    const worker = `worker="${index + 1}"`;
    up.push(`${UP.name}{${worker}} ${text === null ? 0 : 1}`);
    for (const family of text?.trimEnd().split('\n\n') ?? []) {
      const [help = '', type = '', ...samples] = family.split('\n');
      const name = help.split(' ', 3)[2] ?? '';
      let lines = families.get(name);
      if (lines === undefined) families.set(name, (lines = [help, type]));
      for (const sample of samples) lines.push(withLabel(sample, worker));
    }
  }
  return `${[up, ...families.values()].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Adds a label to a sample. Metric names contain neither braces nor spaces. */
function withLabel(sample: string, label: string): string {
  const end = sample.search(/[{ ]/);
  const name = sample.slice(0, end);
  return sample[end] === '{' ? `${name}{${label},${sample.slice(end + 1)}` : `${name}{${label}}${sample.slice(end)}`;
}

const UP = {
  head: [
    '# HELP swarmlens_worker_up Whether a worker is among those that were asked for these metrics and has answered in time: 1, or 0.',
    '# TYPE swarmlens_worker_up gauge',
  ],
  name: 'swarmlens_worker_up',
};

/**
 * One text of metrics, in Prometheus' format, of those of all workers: each series with the label `worker`, and which of
 * them have answered.
 * @param texts of the workers from 1 on, as prom-client writes them, none of whose series has such a label; `null`: it has not answered
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

/** A name holds neither a brace nor a space. */
function withLabel(sample: string, label: string): string {
  const end = sample.search(/[{ ]/);
  const name = sample.slice(0, end);
  return sample[end] === '{' ? `${name}{${label},${sample.slice(end + 1)}` : `${name}{${label}}${sample.slice(end)}`;
}

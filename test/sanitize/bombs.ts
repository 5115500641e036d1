/** What patterns that are made carelessly choke on, when it is repeated. */
export const BOMBS: Readonly<Record<string, string>> = {
  letters: 'a',
  names: 'key',
  'names with a value': 'password=',
  'opening quotes': 'password="',
  'escaped opening quotes': 'password=\\"',
  'quotes of every depth': "password=\\\\\\'",
  backslashes: 'password="\\',
  'beginnings of keys': 'sk-',
  'beginnings of tokens': 'eyJ',
  'beginnings of tokens, apart': '-eyJ',
  'parts of tokens': 'aaaaaaaaaaa.',
  'beginnings of private keys': '-----BEGIN PRIVATE KEY-----',
  'beginnings of private keys, apart': '-----BEGIN PRIVATE KEY-----"',
  dashes: '-a',
  'users of URLs': '://a:',
  'hosts of URLs': '://@',
  schemes: 'Bearer ',
  credentials: 'Basic aaaaaa',
  spaces: 'key   ',
  escapes: '\u001b[',
  links: '\u001b]8;;',
  lines: '\n',
};

/** UTF-16 units. */
const SHORT = 31_250;
const TIMES = 32;
const ROUNDS = 2;

/**
 * Whether work on 1 MB takes so much longer than on a 32nd of it that it cannot be in proportion: a square would take
 * 1,024 times as long. Measures CPU time, which other work of the machine does not lengthen.
 */
export function growsTooFast(work: (text: string) => unknown, unit: string): boolean {
  const cost = (length: number): number => {
    const text = `token: ${unit.repeat(Math.ceil(length / unit.length))}`.slice(0, length);
    let bestMs = Infinity;
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = process.cpuUsage();
      work(text);
      const { user, system } = process.cpuUsage(start);
      bestMs = Math.min(bestMs, (user + system) / 1000);
    }
    return bestMs;
  };
  // Less is the resolution of the measurement.
  const shortMs = Math.max(cost(SHORT), 0.1);
  return cost(SHORT * TIMES) / shortMs > 10 * TIMES;
}

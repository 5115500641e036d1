import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DeliveryServer } from '../support/delivery-server.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let server: DeliveryServer;

beforeAll(async () => {
  server = await DeliveryServer.start();
  server.show(0, 3, 0);
});

afterAll(() => server[Symbol.asyncDispose]());

/** Returns the JavaScript programs of a page. Blocks without an import are fragments. */
function readPrograms(page: string): readonly string[] {
  const text = readFileSync(`${ROOT}${page}`, 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].flatMap(([, code = '']) =>
    code.startsWith('import ') ? [code] : [],
  );
}

const PROGRAMS = ['README.md', 'docs/client.md', 'packages/client/README.md'].flatMap((page) =>
  readPrograms(page).map((code, index) => [page, index + 1, code] as const),
);

/** Runs a program as printed, except for the address, until it prints a line. Resolves with the line. */
async function firstLine(code: string): Promise<string> {
  const local = code.replaceAll('http://127.0.0.1:4000', server.url);
  const program = spawn(process.execPath, ['--input-type=module', '--eval', local], { cwd: ROOT });
  const closed = once(program, 'close');
  let [output, errors] = ['', ''];
  program.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  program.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.includes('\n')) program.kill();
  });
  await closed;
  const [line = ''] = output.split('\n');
  return line === '' ? errors : line;
}

describe('programs of the documentation', () => {
  test('exist on each page', () => {
    expect(new Set(PROGRAMS.map(([page]) => page)).size).toBe(3);
    expect(PROGRAMS.length).toBeGreaterThanOrEqual(5);
  });

  test.each(PROGRAMS)('%s, number %i, prints live data', async (_page, _number, code) => {
    expect(await firstLine(code)).toMatch(/^(agent \d in round 0 \(\w+\): \w+|3 agents.*|x: ONLINE)$/);
  });
});

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Program } from '../support/program.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the examples', () => {
  test('have no mistake that the compiler finds', async () => {
    const flags = ['--noEmit', '-p', 'examples/tsconfig.json'];
    const { stdout } = await promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', ...flags], {
      cwd: ROOT,
    });
    expect(stdout).toBe('');
  });

  test('the script prints the agents of a demo, and ends when it is interrupted', async () => {
    await using program = new Program(['serve', '--demo', '--port', '0'], { cwd: ROOT });
    const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
    const script = spawn(process.execPath, ['examples/node-script/watch.js', url], { cwd: ROOT });
    const ended = once(script, 'close');
    let [output, errors] = ['', ''];
    script.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    for await (const chunk of script.stdout as AsyncIterable<Buffer>) {
      output += chunk.toString();
      if (/^[1-9]\d* agents, \d+ at work/m.test(output)) script.kill('SIGINT');
    }
    await ended;
    expect({ code: script.exitCode, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toMatch(/^[1-9]\d* agents, \d+ at work/m);
  });
});

import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { Program } from '../support/program.js';
import { healthOf, readImage, ROOT } from './image.js';

const image = readImage();

test('what the Dockerfile copies is enough: the program runs from it, is found healthy by its own check, and ends', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'swarmlens-test-'));
  try {
    for (const { sources, target } of image.copies) {
      for (const source of sources) {
        const name = source.replace(/^\/app\//, '');
        const place = target.endsWith('/') ? join(directory, name) : resolve(directory, target);
        // They are the same ones, and many.
        if (name === 'node_modules') symlinkSync(join(ROOT, name), place);
        else cpSync(join(ROOT, name), place, { recursive: true });
      }
    }
    const [node, main = ''] = image.entrypoint;
    expect(node).toBe('node');
    const program = main.replace('/app', directory);
    const env = { ...image.env, PORT: '0', HOST: '127.0.0.1', HOME: directory };
    await using running = new Program([...image.command, '--demo'], { cwd: directory, env, program });
    const [, port] = await running.printed(/ready at \S+:(\d+)\/graphql/);
    expect(await healthOf(image, Number(port))).toBe(0);
    running.kill('SIGTERM');
    expect((await running.outcome()).code).toBe(0);
    expect(await healthOf(image, Number(port))).toBe(1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

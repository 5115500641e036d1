import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarmlens-test-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

function run(script: string, cwd: string, ...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', script), ...args], {
    cwd,
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

/** A project with dependencies of its own. */
function project(name: string, packages: Readonly<Record<string, object>>, dependencies: readonly string[]): string {
  const root = join(folder, name);
  const needs = Object.fromEntries(dependencies.map((dependency) => [dependency, '1']));
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name, dependencies: needs }));
  for (const [dependency, manifest] of Object.entries(packages)) {
    mkdirSync(join(root, 'node_modules', dependency), { recursive: true });
    const whole = { name: dependency, version: '1.0.0', ...manifest };
    writeFileSync(join(root, 'node_modules', dependency, 'package.json'), JSON.stringify(whole));
  }
  return root;
}

describe('the list of licences', () => {
  test('is up to date, and each of them is allowed', () => {
    expect(run('licences.js', ROOT, '--check')).toEqual({ status: 0, output: '' });
  });

  test('that lacks a dependency of a dependency is out of date until it is made again', () => {
    const root = project('lacking', { a: { license: 'MIT', dependencies: { b: '1' } }, b: { license: 'ISC' } }, ['a']);
    expect(run('licences.js', root, '--check').output).toContain('out of date');
    expect(run('licences.js', root).status).toBe(0);
    expect(run('licences.js', root, '--check').status).toBe(0);
    project('lacking', { a: { license: 'MIT', dependencies: { b: '1', c: '1' } }, c: { license: 'MIT' } }, ['a']);
    expect(run('licences.js', root, '--check')).toMatchObject({ status: 1 });
  });

  test.each([
    ['GPL-3.0-only', 1],
    [undefined, 1],
    ['MIT AND GPL-3.0-only', 1],
    ['(MIT OR GPL-3.0-only)', 0],
    ['Apache-2.0 AND BSD-3-Clause', 0],
  ])('with a dependency under %s ends with %i', (license, status) => {
    const root = project(`under-${String(license)}`, { a: { license } }, ['a']);
    expect(run('licences.js', root).status).toBe(status);
  });

  test('fails where a dependency is not installed', () => {
    const { status, output } = run('licences.js', project('missing', {}, ['a']));
    expect({ status, output }).toMatchObject({
      status: 1,
      output: expect.stringContaining('not installed') as unknown,
    }); // vitest's type of a matcher is any
  });
});

describe('the audit', () => {
  const report = (total: number, vulnerabilities: object): object => ({
    vulnerabilities,
    metadata: { vulnerabilities: { total } },
  });
  const finding = {
    x: { name: 'x', severity: 'high', range: '<2', via: ['y', { title: 'Crash', url: 'https://x.example' }] },
  };

  test.each([
    ['a finding fails', report(1, finding), 1, 'x <2: high: by y; Crash https://x.example'],
    ['no finding does not', report(0, {}), 0, 'no known vulnerability'],
    ['a registry that cannot be asked does not, and is told', { message: '405 Method Not Allowed' }, 0, 'NOT ASKED'],
  ])('%s', (_name, json, status, text) => {
    const file = join(folder, 'report.json');
    writeFileSync(file, JSON.stringify(json));
    const outcome = run('audit.js', folder, file);
    expect(outcome.status).toBe(status);
    expect(outcome.output).toContain(text);
  });
});

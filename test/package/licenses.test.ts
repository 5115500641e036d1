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

/** Creates a project with these installed packages and dependencies. */
function createProject(
  name: string,
  packages: Readonly<Record<string, object>>,
  dependencies: readonly string[],
): string {
  const root = join(folder, name);
  const versions = Object.fromEntries(dependencies.map((dependency) => [dependency, '1']));
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name, dependencies: versions }));
  for (const [dependency, manifest] of Object.entries(packages)) {
    mkdirSync(join(root, 'node_modules', dependency), { recursive: true });
    const full = { name: dependency, version: '1.0.0', ...manifest };
    writeFileSync(join(root, 'node_modules', dependency, 'package.json'), JSON.stringify(full));
  }
  return root;
}

describe('scripts/licenses.js', () => {
  test('finds docs/licenses.md up to date and every license allowed', () => {
    expect(run('licenses.js', ROOT, '--check')).toEqual({ status: 0, output: '' });
  });

  test('reports a list that lacks a dependency of a dependency', () => {
    const root = createProject('lacking', { a: { license: 'MIT', dependencies: { b: '1' } }, b: { license: 'ISC' } }, [
      'a',
    ]);
    expect(run('licenses.js', root, '--check').output).toContain('out of date');
    expect(run('licenses.js', root).status).toBe(0);
    expect(run('licenses.js', root, '--check').status).toBe(0);
    createProject('lacking', { a: { license: 'MIT', dependencies: { b: '1', c: '1' } }, c: { license: 'MIT' } }, ['a']);
    expect(run('licenses.js', root, '--check')).toMatchObject({ status: 1 });
  });

  test.each([
    ['GPL-3.0-only', 1],
    [undefined, 1],
    ['MIT AND GPL-3.0-only', 1],
    ['(MIT OR GPL-3.0-only)', 0],
    ['Apache-2.0 AND BSD-3-Clause', 0],
  ])('with a dependency under %s exits with code %i', (license, status) => {
    const root = createProject(`under-${String(license)}`, { a: { license } }, ['a']);
    expect(run('licenses.js', root).status).toBe(status);
  });

  test('fails when a dependency is not installed', () => {
    const { status, output } = run('licenses.js', createProject('missing', {}, ['a']));
    expect({ status, output }).toMatchObject({
      status: 1,
      output: expect.stringContaining('not installed') as unknown,
    }); // vitest types matchers as any
  });
});

describe('scripts/audit.js', () => {
  const report = (total: number, vulnerabilities: object, prod = 100): object => ({
    vulnerabilities,
    metadata: { vulnerabilities: { total }, dependencies: { prod } },
  });
  const finding = {
    x: { name: 'x', severity: 'high', range: '<2', via: ['y', { title: 'Crash', url: 'https://x.example' }] },
  };

  test.each([
    ['fails for a vulnerability', report(1, finding), 1, 'x <2: high: through y; Crash https://x.example'],
    ['passes without vulnerabilities', report(0, {}), 0, 'no known vulnerabilities'],
    [
      'exits with 3 when the registry is unavailable',
      { message: '405 Method Not Allowed' },
      3,
      'NOT AUDITED: the registry sent no report: 405',
    ],
    ['exits with 3 when the report is empty', {}, 3, 'NOT AUDITED'],
    ['exits with 3 when the report is null', null, 3, 'NOT AUDITED'],
    ['exits with 3 when the report covers no dependencies', report(0, {}, 0), 3, 'NOT AUDITED: the report covers no'],
  ])('%s', (_name, json, status, text) => {
    const file = join(folder, 'report.json');
    writeFileSync(file, JSON.stringify(json));
    const outcome = run('audit.js', folder, file);
    expect(outcome.status).toBe(status);
    expect(outcome.output).toContain(text);
  });

  test.each<[string, string, string]>([
    [
      'reports no vulnerabilities unless it is told not to work offline',
      '[[ "$*" == *--offline=false* ]] && echo "{}" || echo "$CLEAN"',
      'no report',
    ],
    ['prints no JSON', 'echo oops', 'npm printed no JSON'],
    ['is not installed', '', 'npm audit did not finish'],
  ])('exits with 3 when npm %s', (_name, script, reason) => {
    const bin = join(folder, 'bin');
    rmSync(bin, { recursive: true, force: true });
    mkdirSync(bin);
    if (script !== '') writeFileSync(join(bin, 'npm'), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    const env = { PATH: bin, CLEAN: JSON.stringify(report(0, {})) };
    const audit = spawnSync(process.execPath, [join(ROOT, 'scripts/audit.js')], { env, encoding: 'utf8' });
    expect(audit.status).toBe(3);
    expect(audit.stderr).toContain(reason);
  });
});

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { TEXTS_WITH_PASSWORD, SECRETS, SECRET_FRAGMENTS } from '../support/secrets.js';

const LOGGER = fileURLToPath(new URL('../../dist/telemetry/index.js', import.meta.url));

/** Returns the parsed lines that the built logger writes to stderr for these fields. */
function logged(all: readonly object[]): readonly Record<string, unknown>[] {
  const script = `
    import { createLogger } from ${JSON.stringify(LOGGER)};
    const logger = createLogger('info');
    for (const fields of JSON.parse(process.env.FIELDS)) logger.info(fields, 'said "so": password:');
  `;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    env: { FIELDS: JSON.stringify(all) },
  });
  return stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>); // every line of the logger is an object
}

describe('createLogger', () => {
  test('redacts secrets in every field and writes valid JSON', () => {
    const planted = [...Object.values(SECRETS), ...TEXTS_WITH_PASSWORD];
    const lines = logged([
      ...planted.map((secret) => ({ error: `failed: "${secret}"`, [secret]: { deep: [secret] } })),
      { headers: { authorization: 'a plain word' }, request: { headers: { cookie: 'a plain word' } } },
      { token: 'a plain word', endpoint: { url: 'http://127.0.0.1/', env: { A: 'a plain word' } } },
    ]);
    expect(lines).toHaveLength(planted.length + 2);
    const text = JSON.stringify(lines);
    for (const trace of [...SECRET_FRAGMENTS, 'a plain word']) expect(text).not.toContain(trace);
    for (const line of lines) expect(line).toMatchObject({ level: 30, msg: 'said "so": password:' });
    expect(lines.at(-1)).toMatchObject({ endpoint: { url: 'http://127.0.0.1/' } });
  });

  test('writes fields without secrets unchanged', () => {
    const fields = { serverId: 'flow', tokens: 17, error: 'Unexpected token: }', count: 0.5, list: [null, true] };
    expect(logged([fields])[0]).toMatchObject(fields);
  });
});

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { toJsonSchema } from '../../src/config/json-schema.js';
import { LIMIT_KEYS } from '../../src/config/limits.js';
import { configFileSchema, serverOptionsSchema, swarmlensOptionsSchema } from '../../src/config/schema.js';
import { readConfigExamples } from './examples.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('npm run codegen', () => {
  test('leaves swarmlens.schema.json and docs/configuration.md unchanged', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/docs-configuration.js', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  test('writes one line per key into docs/configuration.md', async () => {
    const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const keys = [
      ...Object.keys(swarmlensOptionsSchema.shape),
      ...Object.keys(serverOptionsSchema.shape),
      ...LIMIT_KEYS,
    ];
    expect(keys.length).toBeGreaterThan(50);
    expect(keys.filter((key) => !new RegExp(`^\\| \`${key}\` `, 'm').test(page))).toEqual([]);
  });
});

describe('JSON Schema of the configuration', () => {
  const schema = z.fromJSONSchema(toJsonSchema(configFileSchema));

  test('accepts every configuration in README.md and docs/', async () => {
    for (const text of await readConfigExamples()) {
      const { error } = schema.safeParse(JSON.parse(text));
      expect({ text, error }).toEqual({ text, error: undefined });
    }
  });

  test('accepts a file with the key $schema', () => {
    expect(schema.safeParse({ $schema: './swarmlens.schema.json', mcpServers: {} }).success).toBe(true);
  });

  test.each<[string, unknown]>([
    ['without mcpServers', {}],
    ['with an unknown option', { mcpServers: {}, swarmlens: { prot: 1 } }],
    ['with an unknown option of a server', { mcpServers: { s: { command: 'x', swarmlens: { maxPolHz: 1 } } } }],
    ['with a number out of range', { mcpServers: {}, swarmlens: { limits: { maxDepth: 0 } } }],
    ['with a server that has no address', { mcpServers: { s: { args: [] } } }],
    [
      'with an unknown field in a mapping',
      {
        mcpServers: {
          s: {
            command: 'x',
            swarmlens: { mapping: { agents: { tool: 't', list: '', fields: { id: 'a', stauts: 'b' } } } },
          },
        },
      },
    ],
  ])('rejects a file %s', (_name, file) => {
    expect(schema.safeParse(file).success).toBe(false);
  });
});

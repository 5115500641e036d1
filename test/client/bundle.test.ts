import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import ts from 'typescript';
import { build, type Rolldown } from 'vite';
import { describe, expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../../packages/client/dist', import.meta.url));
const ENTRY = join(DIST, 'index.js');

/** What beside its own files is imported by the built client, and which files those are. */
function importedBy(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const ending = entry.endsWith('.d.ts') ? '.d.ts' : '.js';
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
    for (const { fileName } of importedFiles) {
      if (fileName.startsWith('.')) visit(join(dirname(file), fileName.replace(/\.js$/, ending)));
      else packages.add(fileName);
    }
  };
  visit(entry);
  return { files, packages };
}

describe('the built client', () => {
  test('imports its own files and graphql-ws, and nothing else', () => {
    const { files, packages } = importedBy(ENTRY);
    expect([...packages]).toEqual(['graphql-ws/client']);
    expect([...files].filter((file) => relative(DIST, file).startsWith('..'))).toEqual([]);
    expect(files.size).toBeGreaterThan(15);
  });

  test('its types need nothing else either', () => {
    const { files, packages } = importedBy(ENTRY.replace(/\.js$/, '.d.ts'));
    expect([...packages]).toEqual([]);
    expect(files.size).toBeGreaterThan(8);
  });

  test('is at most 15 KiB beside graphql-ws, compressed', async () => {
    const built = await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: true,
        lib: { entry: ENTRY, formats: ['es'] },
        rolldownOptions: { external: ['graphql-ws/client'] },
      },
    });
    const [bundle] = built as Rolldown.RolldownOutput[]; // one, as it does not watch
    const [chunk, ...others] = bundle?.output ?? [];
    if (chunk === undefined) throw new Error('nothing was built');
    expect(others).toEqual([]);
    expect(chunk.imports).toEqual(['graphql-ws/client']);
    expect(gzipSync(chunk.code).length).toBeLessThanOrEqual(15 * 1024);
  });
});

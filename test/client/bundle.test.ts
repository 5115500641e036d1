import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import ts from 'typescript';
import { build, type Rolldown } from 'vite';
import { describe, expect, test } from 'vitest';

const DIST = fileURLToPath(new URL('../../packages/client/dist', import.meta.url));
const ENTRY = join(DIST, 'index.js');

/** Lists the files of the built client, and the packages they import. */
function listImports(entry: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } {
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

describe('built client', () => {
  test('imports graphql-ws and no other package', () => {
    const { files, packages } = listImports(ENTRY);
    expect([...packages]).toEqual(['graphql-ws/client']);
    expect([...files].filter((file) => relative(DIST, file).startsWith('..'))).toEqual([]);
    expect(files.size).toBeGreaterThan(15);
  });

  test('has types that import no package', () => {
    const { files, packages } = listImports(ENTRY.replace(/\.js$/, '.d.ts'));
    expect([...packages]).toEqual([]);
    expect(files.size).toBeGreaterThan(8);
  });

  test('adds at most 15 KiB to graphql-ws, compressed', async () => {
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
    const [bundle] = built as Rolldown.RolldownOutput[]; // an array of one, because it does not watch
    const [chunk, ...others] = bundle?.output ?? [];
    if (chunk === undefined) throw new Error('the build is empty');
    expect(others).toEqual([]);
    expect(chunk.imports).toEqual(['graphql-ws/client']);
    expect(gzipSync(chunk.code).length).toBeLessThanOrEqual(15 * 1024);
  });
});

// Writes schema.graphql from the code, then generates the typed documents from it. Needs a build.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { printSchema } from 'graphql';
import { schema } from '../dist/schema/index.js';

writeFileSync(new URL('../schema.graphql', import.meta.url), `${printSchema(schema)}\n`);
const { status } = spawnSync(
  process.execPath,
  ['node_modules/@graphql-codegen/cli/cjs/bin.js', '--config', 'codegen.ts'],
  {
    cwd: new URL('..', import.meta.url),
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { executeCodegen } from '@graphql-codegen/cli';
import { buildSchema, isObjectType, Kind, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import config from '../../codegen.js';
import * as client from '@swarmlens/client';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const schema = buildSchema(read('schema.graphql'));
const documents = Object.entries(client).filter(([name]) => name.endsWith('Document'));

/** Returns the root fields that a document selects: `Query.agents`. */
function rootFieldsOf(document: string): string[] {
  return parse(document).definitions.flatMap((definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
    const type = schema.getRootType(definition.operation)?.name ?? '';
    return definition.selectionSet.selections.map((selection) =>
      selection.kind === Kind.FIELD ? `${type}.${selection.name.value}` : selection.kind,
    );
  });
}

describe('typed documents', () => {
  test('are up to date with schema.graphql', async () => {
    const { result } = await executeCodegen({ ...config, cwd: ROOT, silent: true });
    expect(result.length).toBeGreaterThan(0);
    for (const { filename, content } of result) expect(content, `${filename} is out of date`).toBe(read(filename));
  });

  test('cover every subscription and mutation, and every query that the client does not leave to its users', () => {
    const covered = new Set(documents.flatMap(([, document]) => rootFieldsOf(String(document))));
    const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name ?? ''}.${field}`),
    );
    expect(fields.length).toBeGreaterThan(15);
    expect(fields.filter((field) => !covered.has(field)).sort()).toEqual([
      'Query.notices',
      'Query.server',
      'Query.swarms',
    ]);
  });

  test.each(documents)('%s is a valid plain string', (_name, document) => {
    expect(typeof document).toBe('string');
    expect(validate(schema, parse(String(document)))).toEqual([]);
  });

  test('select every field of Agent except links, so that patches produce the agents of a query', () => {
    const agent = schema.getType('Agent');
    if (!isObjectType(agent)) throw new Error('type Agent is missing in the schema');
    const [, fragment = ''] = client.AgentDocument.split('fragment Agent on Agent');
    const links = ['server', 'swarm', 'parent', 'children', 'tasks'];
    const missing = Object.keys(agent.getFields()).filter((field) => !new RegExp(`^  ${field}\\b`, 'm').test(fragment));
    expect(missing).toEqual(links);
  });
});

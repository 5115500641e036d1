import { parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/schema/index.js';
import { createGraphiQLOptions, renderGraphiQL } from '../../src/server/graphiql/graphiql.js';
import { EXAMPLE_OPERATIONS } from '../../src/server/graphiql/example-operations.js';

describe('GraphiQL', () => {
  test.each(EXAMPLE_OPERATIONS.map((query) => [/(?:query|mutation|subscription) (\w+)/.exec(query)?.[1] ?? '', query]))(
    'the example operation %s is valid and named',
    (name, query) => {
      expect(name).not.toBe('');
      expect(validate(schema, parse(query))).toEqual([]);
    },
  );

  test('has a tab for each field that newcomers need', () => {
    const all = EXAMPLE_OPERATIONS.join('\n');
    for (const field of [
      'agentUpdates',
      'topologyChanges',
      'notices',
      'callTool',
      'requestAgentUpdate',
      'discovery',
      'health',
    ]) {
      expect(all).toContain(field);
    }
  });

  test('shows a header for the token, stores no headers and uses SSE when tokens are required', () => {
    const { headers = '', shouldPersistHeaders, subscriptionsProtocol } = createGraphiQLOptions(true, false);
    expect(JSON.parse(headers)).toEqual({ Authorization: 'Bearer your-token-here' });
    expect(shouldPersistHeaders).toBe(false);
    expect(subscriptionsProtocol).toBe('SSE');
    expect(createGraphiQLOptions(false, false)).toMatchObject({ subscriptionsProtocol: 'WS' });
    expect(createGraphiQLOptions(false, false)).not.toHaveProperty('headers');
  });

  test('renders a self-contained page once', async () => {
    const page = await renderGraphiQL(createGraphiQLOptions(false, false));
    expect(await renderGraphiQL(createGraphiQLOptions(false, false))).toBe(page);
    const html = new TextDecoder().decode(page);
    const [head = ''] = html.split('<style>\n', 1);
    expect(head).toContain('.graphiql-tab { transform: none');
    // Only loads are checked; links in the scripts are not loads.
    expect(head).not.toMatch(/(?:src|href)="?https?:/);
    expect(html).not.toMatch(/<script[^>]+src=/);
    expect(html).not.toMatch(/@import|url\(['"]?https?:/);
  });
});

import { parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { schema } from '../../src/schema/index.js';
import { createGraphiQLOptions, renderGraphiQL } from '../../src/server/graphiql/graphiql.js';
import { EXAMPLE_OPERATIONS } from '../../src/server/graphiql/example-operations.js';

describe('GraphiQL', () => {
  test.each(EXAMPLE_OPERATIONS.map((query) => [/(?:query|mutation|subscription) (\w+)/.exec(query)?.[1] ?? '', query]))(
    'the operation %s is valid and has a name for its tab',
    (name, query) => {
      expect(name).not.toBe('');
      expect(validate(schema, parse(query))).toEqual([]);
    },
  );

  test('each subscription and mutation of the schema that a person starts with has a tab', () => {
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

  test('with tokens, the editor of headers shows where one goes, keeps none, and subscriptions send it', () => {
    const { headers = '', shouldPersistHeaders, subscriptionsProtocol } = createGraphiQLOptions(true, false);
    expect(JSON.parse(headers)).toEqual({ Authorization: 'Bearer your-token-here' });
    expect(shouldPersistHeaders).toBe(false);
    expect(subscriptionsProtocol).toBe('SSE');
    expect(createGraphiQLOptions(false, false)).toMatchObject({ subscriptionsProtocol: 'WS' });
    expect(createGraphiQLOptions(false, false)).not.toHaveProperty('headers');
  });

  test('the page holds everything it needs, lets nothing in from elsewhere, and is made once', async () => {
    const page = await renderGraphiQL(createGraphiQLOptions(false, false));
    expect(await renderGraphiQL(createGraphiQLOptions(false, false))).toBe(page);
    const html = new TextDecoder().decode(page);
    const [head = ''] = html.split('<style>\n', 1);
    expect(head).toContain('Content-Security-Policy" content="default-src \'self\'');
    expect(head).toContain('.graphiql-tab { transform: none');
    // What the page itself loads; the texts of its scripts hold links that a person may follow.
    expect(head).not.toMatch(/(?:src|href)="?https?:/);
    expect(html).not.toMatch(/<script[^>]+src=/);
    expect(html).not.toMatch(/@import|url\(['"]?https?:/);
  });
});

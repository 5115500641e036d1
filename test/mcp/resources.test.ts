import { describe, expect, test } from 'vitest';
import { ToolRejectedError } from '../../src/mcp/index.js';
import { CALL, connect, outcomeOf } from './support.js';

describe('McpSession.readResource', () => {
  test('decodes the contents of a resource like the result of a tool', async () => {
    await using session = await connect('mapped');
    expect(await session.readResource('swarm://agents', CALL)).toMatchObject({
      isError: false,
      value: { agents: [{ id: 1, name: 'ada' }, {}, {}, {}] },
    });
  });

  test('rejects with the reason of the server', async () => {
    await using session = await connect('mapped');
    expect(await outcomeOf(session.readResource('swarm://other', CALL))).toEqual(
      new ToolRejectedError('Resource not found', -32002),
    );
  });
});

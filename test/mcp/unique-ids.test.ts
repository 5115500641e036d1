import { InMemoryTransport, type JSONRPCMessage } from '@modelcontextprotocol/client';
import { describe, expect, test } from 'vitest';
import { UniqueIdTransport } from '../../src/mcp/compatibility/unique-request-ids.js';

/** Creates a decorated transport that records sent, received and rejected messages. */
async function decorated(): Promise<{
  transport: UniqueIdTransport;
  sent: JSONRPCMessage[];
  got: JSONRPCMessage[];
  noise: string[];
  answer: (message: object) => Promise<void>;
}> {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const [sent, got, noise]: [JSONRPCMessage[], JSONRPCMessage[], string[]] = [[], [], []];
  far.onmessage = (message) => void sent.push(message);
  const transport = new UniqueIdTransport(near);
  transport.onmessage = (message) => void got.push(message);
  transport.onerror = (error) => void noise.push(error.message);
  await Promise.all([transport.start(), far.start()]);
  const answer = (message: object): Promise<void> => far.send({ jsonrpc: '2.0', ...message } as JSONRPCMessage); // some are invalid
  return { transport, sent, got, noise, answer };
}

const request = (id: number, params = {}): JSONRPCMessage => ({ jsonrpc: '2.0', id, method: 'tools/call', params });

describe('UniqueIdTransport', () => {
  test('restores the original id of a request in its answer', async () => {
    const { transport, sent, got, noise, answer } = await decorated();
    await transport.send(request(0));
    await transport.send(request(1));
    const [first, second] = sent.map((message) => ('id' in message ? message.id : null));
    expect(first).toMatch(/^swarmlens-.{16}-0$/);
    await answer({ id: second, result: {} });
    await answer({ id: first, error: { code: 1, message: 'no' } });
    expect(got).toEqual([
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 0, error: { code: 1, message: 'no' } },
    ]);
    expect(noise).toEqual([]);
  });

  test('reports answers to unknown, answered and cancelled requests as errors', async () => {
    const { transport, sent, got, noise, answer } = await decorated();
    await transport.send(request(0));
    await transport.send(request(1));
    const cancelled = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1, reason: 'late' },
    } as const;
    await transport.send(cancelled);
    const [first, second] = sent.map((message) => ('id' in message ? message.id : null));
    expect(sent[2]).toEqual({ ...cancelled, params: { requestId: second, reason: 'late' } });
    for (const id of [first, first, second, 0, '0', 1]) await answer({ id, result: {} });
    expect(got).toHaveLength(1);
    expect(noise).toHaveLength(5);
    await transport.close();
    await expect(transport.send(request(2))).rejects.toThrow();
  });

  test('passes messages without an own id unchanged in both directions', async () => {
    const { transport, sent, got, answer } = await decorated();
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' } as const;
    await transport.send(notification);
    await answer({ id: 7, method: 'ping' });
    await transport.send({ jsonrpc: '2.0', id: 7, result: {} });
    expect(sent).toEqual([notification, { jsonrpc: '2.0', id: 7, result: {} }]);
    expect(got).toEqual([{ jsonrpc: '2.0', id: 7, method: 'ping' }]);
  });

  test('delivers progress of its own requests only', async () => {
    const { transport, sent, got, noise, answer } = await decorated();
    await transport.send(request(3, { name: 'x', _meta: { progressToken: 3 } }));
    const id = sent.map((message) => ('id' in message ? message.id : null))[0];
    expect(sent[0]).toMatchObject({ params: { name: 'x', _meta: { progressToken: id } } });
    for (const progressToken of [id, 3, 'of another']) {
      await answer({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
    }
    expect(got).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 3, progress: 1 } },
    ]);
    expect(noise).toHaveLength(2);
  });

  test('keeps the last error without an id until the next answer', async () => {
    const { transport, sent, answer } = await decorated();
    await answer({ error: { code: -32000, message: 'Authentication\u0007 required' } });
    expect(transport.lastError).toBe('Authentication required');
    await transport.send(request(0));
    await answer({ id: sent.map((message) => ('id' in message ? message.id : null))[0], result: {} });
    expect(transport.lastError).toBeNull();
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { GuardedSignal, McpSession } from '../../src/mcp/index.js';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** Returns the source files that contain a pattern, without their extension. */
function filesWith(pattern: RegExp): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && pattern.test(readFileSync(`${SRC}${path}`, 'utf8')))
    .map((path) => path.replaceAll('\\', '/').replace(/\.ts$/, ''))
    .sort();
}

describe('Calls of MCP sessions', () => {
  test('use the official client in one module only', () => {
    expect(filesWith(/import[^;]*\bClient\b[^;]*from '@modelcontextprotocol\/client'/)).toEqual(['mcp/guarded-client']);
    expect(filesWith(/from '\.{1,2}\/(?:\S+\/)?guarded-client\.js'/)).toEqual([
      'mcp/change-watch',
      'mcp/resource-list',
      'mcp/sdk-session',
      'mcp/tool-list',
    ]);
  });

  test('require the signal of a guard, which only guards create', () => {
    expect(filesWith(/\bas (?:unknown as )?GuardedSignal\b/)).toEqual(['mcp/call-guard', 'upstream/guard/guard']);
    const client = readFileSync(`${SRC}mcp/guarded-client.ts`, 'utf8');
    const sending = [...client.matchAll(/^ {2}(?!close|constructor)(\w+)(?:<\w+>)?\(([\s\S]*?)\): Promise</gm)];
    expect(sending.map(([, name]) => name)).toEqual(['connect', 'listen', 'request']);
    for (const [, name, parameters] of sending)
      expect([name, parameters]).toEqual([name, expect.stringMatching(/signal: GuardedSignal/)]);
  });

  test('do not compile with another signal', () => {
    const unguarded = (session: McpSession, signal: AbortSignal): unknown => [
      // @ts-expect-error a call outside a guard
      session.callTool('tool', {}, { signal, timeoutMs: 1 }),
      // @ts-expect-error a ping outside a guard
      session.ping({ signal, timeoutMs: 1 }),
    ];
    const guarded = (session: McpSession, signal: GuardedSignal): unknown => [
      session.callTool('tool', {}, { signal, timeoutMs: 1 }),
      session.ping({ signal, timeoutMs: 1 }),
    ];
    expect([unguarded, guarded]).toHaveLength(2);
  });
});

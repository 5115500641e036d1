import { describe, expect, test } from 'vitest';
import { decodeToolResult } from '../../src/mcp/tool-result.js';
import { growsTooFast } from '../support/growth.js';

const A = { id: 'a', name: 'Ada' };
const B = { id: 'b', name: 'Bob {"}' };
const text = (value: unknown): object => ({
  type: 'text',
  text: typeof value === 'string' ? value : JSON.stringify(value),
});
const LONG = Array.from({ length: 4_000 }, (_, index) => ({ id: `agent-${index}`, note: 'x'.repeat(40) }));
const linesOf = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join('\n');

describe('decodeToolResult', () => {
  test.each([
    ['one block per entry', [text(A), text(B)], [A, B]],
    ['one block with the only entry', [text(A)], A],
    ['no block', [], []],
    ['a sentence and a JSON block', [text('Found 2 agents:'), text({ agents: [A, B] })], { agents: [A, B] }],
    ['a JSON block and a sentence', [text({ agents: [A] }), text('Done [1].')], { agents: [A] }],
    ['several lists', [text([A]), text([B])], [A, B]],
    ['a sentence and JSON in one text', [text(`Here they are [2]: ${JSON.stringify([A, B])}`)], [A, B]],
    [
      'a sentence in the line before',
      [text(`Agents {now}:\n\n${JSON.stringify({ agents: [A] }, null, 2)}\n\nBye.`)],
      { agents: [A] },
    ],
    [
      'fenced JSON',
      [text(`Result:\n\`\`\`json\n${JSON.stringify({ agents: [A, B] }, null, 2)}\n\`\`\`\nEnd {x}`)],
      { agents: [A, B] },
    ],
    ['fenced JSON without a language or an end', [text(`\`\`\`\n${JSON.stringify([A])}`)], [A]],
    [
      'several fenced blocks',
      [text(`\`\`\`json\n[${JSON.stringify(A)}]\n\`\`\`\n\`\`\`json\n[${JSON.stringify(B)}]\n\`\`\``)],
      [A, B],
    ],
    ['fenced lines', [text(`\`\`\`ndjson\n${linesOf([A, B])}\n\`\`\``)], [A, B]],
    ['lines of JSON', [text(`${linesOf([A, B])}\n`)], [A, B]],
    ['lines of JSON with CRLF', [text(linesOf([A, B]).replaceAll('\n', '\r\n'))], [A, B]],
    ['long lines of JSON', [text(linesOf(LONG))], LONG],
    ['JSON in a JSON string', [text(JSON.stringify(JSON.stringify({ agents: [A, B] })))], { agents: [A, B] }],
    ['JSON in a JSON string in a JSON string', [text(JSON.stringify(JSON.stringify(JSON.stringify([A]))))], [A]],
    ['long JSON in a JSON string', [text(JSON.stringify(JSON.stringify(LONG)))], LONG],
    ['long fenced JSON', [text(`Here:\n\`\`\`json\n${JSON.stringify(LONG)}\n\`\`\``)], LONG],
    [
      'an embedded resource',
      [{ type: 'resource', resource: { uri: 'x://a', mimeType: 'application/json', text: JSON.stringify([A, B]) } }],
      [A, B],
    ],
    [
      'a sentence and an embedded resource',
      [text('See:'), { type: 'resource', resource: { uri: 'x://a', text: JSON.stringify([A]) } }],
      [A],
    ],
    ['an image and JSON', [{ type: 'image', data: 'x' }, text([A])], [A]],
    ['a number', [text('42')], 42],
    ['a sentence with brackets', [text('All is well [1] {really}')], 'All is well [1] {really}'],
    ['references in brackets', [text('See [1]\nand [2]')], 'See [1]\nand [2]'],
    ['paragraphs', [text('One.'), text('Two.')], 'One.\nTwo.'],
  ])('reads %s', async (_title, content, value) => {
    expect((await decodeToolResult({ content })).value).toEqual(value);
  });

  test.each([
    ['a broken line', [text(`${JSON.stringify(A)}\n{"id": "b", \n${JSON.stringify(B)}`)], [A, '{"id": "b", ', B]],
    ['a truncated last line', [text(`${linesOf([A, B])}\n{"id": "c`)], [A, B, '{"id": "c']],
    ['a broken block', [text(A), text('{"id": "b"'), text(B)], [A, '{"id": "b"', B]],
  ])('keeps %s as a text among the values', async (_title, content, value) => {
    expect((await decodeToolResult({ content })).value).toEqual(value);
  });

  test('reports more blocks than it reads as a text among the values', async () => {
    const { value } = await decodeToolResult({ content: Array.from({ length: 50_002 }, () => text(A)) });
    expect(value).toHaveLength(50_001);
    expect(value).toContain('2 more content blocks');
  });

  test('keeps the whole text for clients when only a part of it is data', async () => {
    const sentence = `Here: ${JSON.stringify(A)}`;
    expect(await decodeToolResult({ content: [text(sentence)] })).toEqual({
      isError: false,
      value: A,
      content: sentence,
    });
    expect(await decodeToolResult({ content: [text('Hi'), text(A)] })).toEqual({
      isError: false,
      value: A,
      content: ['Hi', A],
    });
  });

  test('prefers structured content', async () => {
    const result = { structuredContent: { agents: [A] }, content: [text([B])] };
    expect(await decodeToolResult(result)).toEqual({ isError: false, value: { agents: [A] } });
  });

  test('reads the result of another tool in the text of a result', async () => {
    const inner = { content: [text({ error: 'no such template' })], isError: true };
    expect(await decodeToolResult({ content: [text(inner)] })).toEqual({
      isError: true,
      value: { error: 'no such template' },
    });
    const twice = { content: [text({ content: [text([A])], isError: false })] };
    expect(await decodeToolResult({ content: [text(twice)] })).toEqual({ isError: false, value: [A] });
  });

  test('keeps an object whose content is not that of a result', async () => {
    const value = { content: [{ type: 'note' }], owner: 'x' };
    expect(await decodeToolResult({ content: [text(value)] })).toEqual({ isError: false, value });
  });

  test('removes secrets from every part', async () => {
    const { value, content } = await decodeToolResult({
      content: [text('Look:'), text({ password: 'hunter2hunter2' })],
    });
    expect(JSON.stringify([value, content])).not.toContain('hunter2');
  });

  test.each([
    ['opening brackets', '['],
    ['braces', '{"a":'],
    ['empty objects in one line', '{} '],
    ['unclosed lines', '{"a": "\n'],
    ['quotes', '{"'],
    ['fences', '```\n'],
    ['fences without lines', '```'],
    ['spaces and brackets', '   ]\n   {'],
    ['lines', '{"a": 1}\n'],
    ['escapes', '["\\\\'],
  ])('takes linear time for many %s', async (_title, unit) => {
    const prepare = (size: number) => () => decodeToolResult({ content: [text(`Look: ${unit.repeat(size)}.`)] });
    expect(await growsTooFast(prepare, 40_000)).toBe(false);
  });
});

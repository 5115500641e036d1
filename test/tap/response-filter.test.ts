import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResponseScanner } from '../../src/tap/stdio/response-scanner.js';
import { ResponseFilter } from '../../src/tap/stdio/response-filter.js';
import { chunksOf } from './split-bytes.js';
import { runs } from '../support/fuzz-inputs.js';

const PREFIX = 'swarmlens-0af3-';

/** Returns whether a line is a response to an injected call, by parsing it. The reference for the scanner. */
function isInjectedResponse(line: string): boolean {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return false;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json) || 'method' in json || !('id' in json)) {
    return false;
  }
  return typeof json.id === 'string' && json.id.startsWith(PREFIX);
}

const injectedId = fc.nat(999).map((n) => `${PREFIX}${n}`);
/** Arbitrary JSON values. Many contain the id of an injected call in a place where it does not count. */
const value = fc.oneof(
  fc.jsonValue(),
  injectedId,
  injectedId.map((id) => ({ id })),
  fc.constant(`quoted "id":"${PREFIX}1" \\`),
);
const member = fc.oneof(
  fc.tuple(fc.constantFrom('result', 'error', 'jsonrpc', 'x', 'ид', 'a"id\\'), value),
  fc.tuple(fc.constant('id'), fc.oneof(injectedId, fc.integer(), fc.string(), fc.constant(null))),
  fc.tuple(fc.constant('method'), fc.string()),
);
const message = fc
  .uniqueArray(member, { selector: ([name]) => name, maxLength: 5 })
  .chain((members) => fc.constantFrom('', ' ').map((gap) => JSON.stringify(Object.fromEntries(members), null, gap)))
  .map((text) => text.replaceAll('\n', ''))
  // Requests of the server never use the id prefix of injected calls.
  .filter((text) => !(text.includes('"method":') && /"id": ?"swarmlens/.test(text)));
const injectedResponse = fc
  .tuple(injectedId, fc.jsonValue(), fc.boolean())
  .map(([id, result, isIdFirst]) =>
    JSON.stringify(isIdFirst ? { jsonrpc: '2.0', id, result } : { result, jsonrpc: '2.0', id }),
  );
const noise = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('🐝 swarm', '', '{', `${PREFIX}1`, '{"id":'));
const line = fc.oneof(message, injectedResponse, noise).map((text) => text.replaceAll('\n', ''));
const cuts = fc.array(fc.nat());

function scan(chunks: readonly Buffer[]): boolean {
  const scanner = new ResponseScanner(PREFIX);
  for (const chunk of chunks) {
    const verdict = scanner.feed(chunk);
    if (verdict !== null) return verdict;
  }
  return false;
}

describe('ResponseScanner', () => {
  test('for any message and any chunks: the verdict equals the verdict of the parser', () => {
    fc.assert(
      fc.property(fc.oneof(message, injectedResponse), cuts, (text, places) => {
        expect(scan(chunksOf(Buffer.from(text), places))).toBe(isInjectedResponse(text));
      }),
      runs(250),
    );
  });

  test.each([
    ['a', false],
    ['{"jsonrpc":"2.0","id":5', false],
    ['{"jsonrpc":"2.0","id":"5"', false],
    ['{"jsonrpc":"2.0","method":', false],
    [`{"jsonrpc":"2.0","id":"${PREFIX}5"`, true],
    ['{"result":{"id":5}', null],
    [`{"result":{"id":"${PREFIX}5"}`, null],
  ])('gives the earliest possible verdict for %s: %s', (text, verdict) => {
    expect(new ResponseScanner(PREFIX).feed(Buffer.from(text))).toBe(verdict);
  });
});

function createFilter(options: { expectsResponse?: () => boolean; maxHeldBytes?: number } = {}): {
  filter: ResponseFilter;
  passed: () => string;
} {
  const passed: Buffer[] = [];
  const filter = new ResponseFilter({
    prefix: PREFIX,
    maxHeldBytes: 1_000_000,
    expectsResponse: () => true,
    ...options,
    pass: (bytes) => passed.push(bytes),
  });
  return { filter, passed: () => Buffer.concat(passed).toString('latin1') };
}

describe('ResponseFilter', () => {
  test('for any lines and any chunks: removes exactly the responses to injected calls', () => {
    fc.assert(
      fc.property(fc.array(line), line, fc.constantFrom('\n', '\r\n'), cuts, (lines, rest, end, places) => {
        const { filter, passed } = createFilter();
        for (const chunk of chunksOf(Buffer.from(`${lines.map((text) => `${text}${end}`).join('')}${rest}`), places))
          filter.push(chunk);
        filter.end();
        const kept = lines.filter((text) => !isInjectedResponse(text)).map((text) => `${text}${end}`);
        // The last line has no newline and is still removed when its id has been read.
        const last = scan([Buffer.from(rest)]) ? '' : rest;
        expect(passed()).toBe(Buffer.from(`${kept.join('')}${last}`).toString('latin1'));
      }),
      runs(250),
    );
  });

  test('for any bytes: passes them unchanged and immediately while no injected call expects a response', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, places) => {
        const { filter, passed } = createFilter({ expectsResponse: () => false });
        let sent = '';
        for (const chunk of chunksOf(Buffer.from(bytes), places)) {
          sent += chunk.toString('latin1');
          filter.push(chunk);
          expect(passed()).toBe(sent);
        }
      }),
    );
  });

  test('passes the beginning of a line immediately when the line cannot be a response to an injected call', () => {
    const { filter, passed } = createFilter();
    for (const text of ['🐝 no', 'ise\n', '{"jsonrpc":"2.0","id":7,', '"result":', '"long'])
      filter.push(Buffer.from(text));
    expect(passed()).toBe(Buffer.from('🐝 noise\n{"jsonrpc":"2.0","id":7,"result":"long').toString('latin1'));
  });

  test('releases held bytes when no injected call expects a response', () => {
    let expectsResponse = true;
    const { filter, passed } = createFilter({ expectsResponse: () => expectsResponse });
    filter.push(Buffer.from(`{"result":{},"id":"${PREFIX}1"}\n{"result":`));
    filter.release();
    expect(passed()).toBe('');
    expectsResponse = false;
    filter.release();
    expect(passed()).toBe('{"result":');
    filter.push(Buffer.from('{}}\n'));
    expect(passed()).toBe('{"result":{}}\n');
  });

  test('removes a repeated response to an injected call', () => {
    const { filter, passed } = createFilter({ expectsResponse: () => false });
    filter.push(Buffer.from(`a\n{"result":{},"id":"${PREFIX}1"}\nb\n`));
    expect(passed()).toBe('a\nb\n');
  });

  test('passes an undecided line when it exceeds the limit of held bytes', () => {
    const { filter, passed } = createFilter({ maxHeldBytes: 20 });
    filter.push(Buffer.from('{"result":"1234567'));
    expect(passed()).toBe('');
    filter.push(Buffer.from('89012345'));
    expect(passed()).toBe('{"result":"123456789012345');
  });

  test('removes a response to an injected call that exceeds the limit of held bytes', () => {
    const { filter, passed } = createFilter({ maxHeldBytes: 20 });
    filter.push(Buffer.from(`{"id":"${PREFIX}1",`));
    filter.push(Buffer.from(`"result":"${'x'.repeat(100)}`));
    filter.push(Buffer.from('"}\nnext'));
    expect(passed()).toBe('next');
  });
});

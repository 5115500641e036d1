import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerScan } from '../../src/tap/answer-scan.js';
import { Sieve } from '../../src/tap/sieve.js';
import { chunksOf } from './chunks.js';
import { runs } from '../support/hostile.js';

const PREFIX = 'swarmlens-0af3-';

/** What the parser makes of a line, which the scan must agree with. */
function isOurs(line: string): boolean {
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

const ourId = fc.nat(999).map((n) => `${PREFIX}${n}`);
/** Anything, and often something that looks like an answer to us but is none: its id stands elsewhere. */
const value = fc.oneof(
  fc.jsonValue(),
  ourId,
  ourId.map((id) => ({ id })),
  fc.constant(`quoted "id":"${PREFIX}1" \\`),
);
const member = fc.oneof(
  fc.tuple(fc.constantFrom('result', 'error', 'jsonrpc', 'x', 'ид', 'a"id\\'), value),
  fc.tuple(fc.constant('id'), fc.oneof(ourId, fc.integer(), fc.string(), fc.constant(null))),
  fc.tuple(fc.constant('method'), fc.string()),
);
const message = fc
  .uniqueArray(member, { selector: ([name]) => name, maxLength: 5 })
  .chain((members) => fc.constantFrom('', ' ').map((gap) => JSON.stringify(Object.fromEntries(members), null, gap)))
  .map((text) => text.replaceAll('\n', ''))
  // Nobody else gives a request of theirs an id that begins like ours.
  .filter((text) => !(text.includes('"method":') && /"id": ?"swarmlens/.test(text)));
const answerToUs = fc
  .tuple(ourId, fc.jsonValue(), fc.boolean())
  .map(([id, result, isIdFirst]) =>
    JSON.stringify(isIdFirst ? { jsonrpc: '2.0', id, result } : { result, jsonrpc: '2.0', id }),
  );
const noise = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('🐝 swarm', '', '{', `${PREFIX}1`, '{"id":'));
const line = fc.oneof(message, answerToUs, noise).map((text) => text.replaceAll('\n', ''));
const cuts = fc.array(fc.nat());

function scan(chunks: readonly Buffer[]): boolean {
  const one = new AnswerScan(PREFIX);
  for (const chunk of chunks) {
    const verdict = one.feed(chunk);
    if (verdict !== null) return verdict;
  }
  return false;
}

describe('the scan of a line', () => {
  test('takes for an answer to us what the parser takes for one, wherever the line is cut', () => {
    fc.assert(
      fc.property(fc.oneof(message, answerToUs), cuts, (text, places) => {
        expect(scan(chunksOf(Buffer.from(text), places))).toBe(isOurs(text));
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
  ])('of %s knows at once: %s', (text, verdict) => {
    expect(new AnswerScan(PREFIX).feed(Buffer.from(text))).toBe(verdict);
  });
});

function sieve(options: { mayBeAnswered?: () => boolean; maxHeldBytes?: number } = {}): {
  sieve: Sieve;
  passed: () => string;
} {
  const passed: Buffer[] = [];
  const one = new Sieve({
    prefix: PREFIX,
    maxHeldBytes: 1_000_000,
    mayBeAnswered: () => true,
    ...options,
    pass: (bytes) => passed.push(bytes),
  });
  return { sieve: one, passed: () => Buffer.concat(passed).toString('latin1') };
}

describe('the sieve', () => {
  test('takes out exactly the answers to us, each with its newline, wherever the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(line), line, fc.constantFrom('\n', '\r\n'), cuts, (lines, rest, end, places) => {
        const { sieve: one, passed } = sieve();
        for (const chunk of chunksOf(Buffer.from(`${lines.map((text) => `${text}${end}`).join('')}${rest}`), places))
          one.push(chunk);
        one.end();
        const kept = lines.filter((text) => !isOurs(text)).map((text) => `${text}${end}`);
        // Without its end a line is one all the same, when its id has been seen.
        const last = scan([Buffer.from(rest)]) ? '' : rest;
        expect(passed()).toBe(Buffer.from(`${kept.join('')}${last}`).toString('latin1'));
      }),
      runs(250),
    );
  });

  test('holds nothing back while no call of ours may be answered, and changes no byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, places) => {
        const { sieve: one, passed } = sieve({ mayBeAnswered: () => false });
        let sent = '';
        for (const chunk of chunksOf(Buffer.from(bytes), places)) {
          sent += chunk.toString('latin1');
          one.push(chunk);
          expect(passed()).toBe(sent);
        }
      }),
    );
  });

  test('passes the beginning of a line that cannot be ours at once', () => {
    const { sieve: one, passed } = sieve();
    for (const text of ['🐝 no', 'ise\n', '{"jsonrpc":"2.0","id":7,', '"result":', '"long'])
      one.push(Buffer.from(text));
    expect(passed()).toBe(Buffer.from('🐝 noise\n{"jsonrpc":"2.0","id":7,"result":"long').toString('latin1'));
  });

  test('lets go of what it holds when the last answer to us has come', () => {
    let mayBeAnswered = true;
    const { sieve: one, passed } = sieve({ mayBeAnswered: () => mayBeAnswered });
    one.push(Buffer.from(`{"result":{},"id":"${PREFIX}1"}\n{"result":`));
    one.release();
    expect(passed()).toBe('');
    mayBeAnswered = false;
    one.release();
    expect(passed()).toBe('{"result":');
    one.push(Buffer.from('{}}\n'));
    expect(passed()).toBe('{"result":{}}\n');
  });

  test('takes out an answer that comes a second time', () => {
    const { sieve: one, passed } = sieve({ mayBeAnswered: () => false });
    one.push(Buffer.from(`a\n{"result":{},"id":"${PREFIX}1"}\nb\n`));
    expect(passed()).toBe('a\nb\n');
  });

  test('holds no more than it may of a line that it cannot tell', () => {
    const { sieve: one, passed } = sieve({ maxHeldBytes: 20 });
    one.push(Buffer.from('{"result":"1234567'));
    expect(passed()).toBe('');
    one.push(Buffer.from('89012345'));
    expect(passed()).toBe('{"result":"123456789012345');
  });

  test('never lets a long answer to us pass', () => {
    const { sieve: one, passed } = sieve({ maxHeldBytes: 20 });
    one.push(Buffer.from(`{"id":"${PREFIX}1",`));
    one.push(Buffer.from(`"result":"${'x'.repeat(100)}`));
    one.push(Buffer.from('"}\nnext'));
    expect(passed()).toBe('next');
  });
});

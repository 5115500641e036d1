import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonMessageReader, type JsonSliceHandler, JsonSlicer } from '../../../src/shared/json/index.js';
import { mutatedJson, runs } from '../../support/fuzz-inputs.js';
import { ChangeNotifier } from '../../support/wait.js';

class PlainHandler implements JsonSliceHandler<null> {
  maxEntries = Infinity;
  maxDepth = Infinity;
  maxTextLength = Infinity;
  cuts = 0;
  readonly parsed: string[] = [];

  parse(json: string): unknown {
    this.parsed.push(json);
    return JSON.parse(json);
  }

  text(text: string): unknown {
    return text;
  }

  member(name: string): { kind: 'READ'; name: string; context: null } {
    return { kind: 'READ', name, context: null };
  }

  onCut(): void {
    this.cuts += 1;
  }
}

/** Parses with a slicer. Returns `SyntaxError` if the text is not JSON. */
function slice(json: string | Buffer, sliceBytes: number, handler = new PlainHandler()): unknown {
  const steps = new JsonSlicer(Buffer.from(json), handler, sliceBytes).parse(null);
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  } catch (error) {
    if (error instanceof SyntaxError) return SyntaxError;
    throw error;
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return SyntaxError;
  }
}

const sliceBytes = fc.integer({ min: 1, max: 40 });
const anyJson = fc.oneof(
  fc.jsonValue({ noUnicodeString: false }),
  fc.array(fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue())),
);
/** Formats without changing the value: with other white space and escaped characters. */
const anyText = fc
  .tuple(anyJson, fc.constantFrom(undefined, 1, '\t'), fc.boolean())
  .map(([value, space, isEscaped]) => {
    const text = JSON.stringify(value, null, space);
    return isEscaped
      ? text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      : text;
  });

describe('JsonSlicer', () => {
  test('for any JSON and length of the slices: gives the result of JSON.parse', () => {
    fc.assert(
      fc.property(anyText, sliceBytes, (text, bytes) => {
        expect(slice(text, bytes + 32)).toEqual(parse(text));
      }),
      runs(1_000),
    );
  });

  test('for any changed JSON: accepts it only with the result of JSON.parse', () => {
    fc.assert(
      fc.property(anyJson.chain(mutatedJson), sliceBytes, (text, bytes) => {
        const result = slice(text, bytes);
        // Numbers that are longer than a slice are refused.
        if (result !== SyntaxError) expect(result).toEqual(parse(Buffer.from(text).toString()));
      }),
      runs(2_000),
    );
  });

  test('parses no part that is longer than a slice and its brackets', () => {
    const handler = new PlainHandler();
    const value = {
      agents: Array.from({ length: 100 }, (_, id) => ({ id, name: `agent ${id}` })),
      text: 'x'.repeat(900),
    };
    expect(slice(JSON.stringify(value), 100, handler)).toEqual(value);
    expect(Math.max(...handler.parsed.map((part) => part.length))).toBeLessThanOrEqual(102);
    expect(handler.parsed.length).toBeLessThan(60);
  });

  test('keeps a member named __proto__ apart from the prototype', () => {
    const text = `{"a":"${'x'.repeat(50)}","__proto__":{"polluted":"${'x'.repeat(50)}"},"b":1}`;
    const result = slice(text, 20);
    expect(Object.keys(result as object)).toEqual(['a', '__proto__', 'b']); // the text is an object
    expect(result).not.toHaveProperty('polluted');
  });

  test('skips entries and levels above the limits without parsing them', () => {
    const handler = new PlainHandler();
    handler.maxEntries = 3;
    handler.maxDepth = 2;
    const text = `{"a":[[${'[1],'.repeat(50)}2]],"b":[1,2,3,${'4,'.repeat(50)}5],"c":"${'x'.repeat(50)}","d":1}`;
    expect(slice(text, 20, handler)).toEqual({ a: [null], b: [1, 2, 3], c: 'x'.repeat(50) });
    expect(handler.cuts).toBe(3);
  });

  test.each([
    '',
    ' ',
    '[',
    '[1',
    '[1,]',
    `[1,${' '.repeat(50)}]`,
    `[${' '.repeat(50)},1]`,
    `["${'x'.repeat(50)}",]`,
    `["${'x'.repeat(50)}"}`,
    `{"${'x'.repeat(50)}"}`,
    `{"${'x'.repeat(50)}":}`,
    `{"a":"${'x'.repeat(50)}",}`,
    `{a:"${'x'.repeat(50)}"}`,
    `"${'x'.repeat(50)}`,
    `"${'x'.repeat(50)}\\`,
    `"${'x'.repeat(50)}\\u12"`,
    `"${'x'.repeat(50)}\n"`,
    `"${'x'.repeat(50)}"1`,
    '1'.repeat(50),
    '[[['.repeat(50),
    '{"a":'.repeat(50),
    ']'.repeat(50),
  ])('refuses %j', (text) => {
    expect(slice(text, 20)).toBe(SyntaxError);
  });
});

describe('JsonMessageReader', () => {
  test('delivers messages in order when a long one takes several turns', async () => {
    const received: unknown[] = [];
    const busy: boolean[] = [];
    const changes = new ChangeNotifier();
    const reader = new JsonMessageReader({
      onMessage: (message) => received.push(Array.isArray(message) ? message.length : message),
      onInvalid: (text) => received.push(`invalid: ${text.length}`),
      onBusy: (isBusy) => {
        busy.push(isBusy);
        changes.notify();
      },
    });
    const long = Buffer.from(JSON.stringify(Array.from({ length: 50_000 }, (_, index) => index)));
    reader.push(Buffer.from('1'), null);
    reader.push(Buffer.from('x'), null);
    expect(received).toEqual([1, 'invalid: 1']);
    reader.push(long, null);
    reader.push(Buffer.from('2'), null);
    reader.push(long.subarray(0, -1), null);
    reader.afterMessages(() => received.push('end'));
    reader.push(Buffer.from('3'), null);
    expect(received).toHaveLength(2);
    await changes.until(() => busy.length === 2, { state: () => received });
    expect(received.slice(2)).toEqual([50_000, 2, `invalid: ${long.length - 1}`, 'end', 3]);
    expect(busy).toEqual([true, false]);
    reader.push(Buffer.from('4'), null);
    expect(received.at(-1)).toBe(4);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHooks } from '../../src/hooks/index.js';
import { removeRanges } from '../../src/hooks/json-edits.js';
import { addHooks, hasHooks, removeHooks, SettingsTextError } from '../../src/hooks/settings-text.js';

const HOOKS = createHooks('claude-code', { port: 4157, sendsToken: false });
const OTHER = { type: 'command', command: 'notify-send done' };

/** Hooks of other programs under any events, with empty lists and groups. */
const otherHooks = fc.dictionary(
  fc.constantFrom('PreToolUse', 'Stop', 'SessionStart', 'Unknown'),
  fc.array(
    fc.oneof(
      fc.constant({ hooks: [OTHER] }),
      fc.constant({ matcher: 'Bash', hooks: [OTHER, { type: 'http', url: 'http://127.0.0.1:1/other' }] }),
      fc.constant({ matcher: '*', hooks: [] }),
      fc.constant('no group'),
    ),
    { maxLength: 3 },
  ),
  { noNullPrototype: true },
);

const settings = fc
  .tuple(
    fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4, noNullPrototype: true }),
    fc.option(otherHooks, { nil: undefined }),
    fc.boolean(),
  )
  .map(([others, hooks, isFirst]) => {
    const { hooks: _hooks, ...rest } = others;
    if (hooks === undefined) return rest;
    return isFirst ? { hooks, ...rest } : { ...rest, hooks };
  });

/** Indentation, line ending and end of a file. */
const style = fc.record({
  indentation: fc.constantFrom('', ' ', '  ', '    ', '\t'),
  newline: fc.constantFrom('\n', '\r\n'),
  end: fc.constantFrom('', '\n', '\r\n', ' \n\n'),
});

describe('hooks in settings', () => {
  test('for any settings and any style: adding hooks keeps all other values, and removing them restores the file', () => {
    fc.assert(
      fc.property(settings, style, (value, { indentation, newline, end }) => {
        const text = JSON.stringify(value, null, indentation).replaceAll('\n', newline) + end;
        const installed = addHooks(text, HOOKS);

        const { hooks: added, ...others } = JSON.parse(installed.text) as { readonly hooks: Record<string, unknown[]> }; // added above
        const { hooks: before = {}, ...othersBefore } = JSON.parse(text) as {
          readonly hooks?: Record<string, unknown[]>;
        }; // made above
        expect(others).toEqual(othersBefore);
        for (const event of new Set([...Object.keys(before), ...Object.keys(HOOKS)])) {
          expect(added[event]).toEqual([...(before[event] ?? []), ...(HOOKS[event] ?? [])]);
        }
        expect(hasHooks(installed.text, HOOKS)).toBe(true);
        expect(removeRanges(installed.text, installed.ranges)).toBe(text);
        expect(JSON.parse(removeHooks(installed.text))).toEqual(withoutNewlyEmpty(value));
      }),
    );
  });

  test('for any settings: removing hooks leaves the text of every other value as it is', () => {
    fc.assert(
      fc.property(settings, (value) => {
        const text = JSON.stringify(value, null, 2);
        expect(removeHooks(text)).toBe(text);
      }),
    );
  });

  test('are removed from a list and a group that other hooks share', () => {
    const own = { type: 'http', url: 'http://localhost:9/hooks/claude-code', timeout: 60 };
    const text = JSON.stringify(
      { hooks: { Stop: [{ hooks: [own, OTHER] }, { matcher: '*', hooks: [own] }] } },
      null,
      2,
    );

    expect(JSON.parse(removeHooks(text))).toEqual({ hooks: { Stop: [{ hooks: [OTHER] }] } });
  });

  test.each([
    ['on another port', { type: 'http', url: 'http://127.0.0.1:4100/hooks/claude-code', timeout: 2 }],
    ['with another time limit', { type: 'http', url: 'http://127.0.0.1:4157/hooks/claude-code' }],
  ])('of an older version %s are not those that are wanted', (_name, handler) => {
    const text = JSON.stringify({ hooks: { ...HOOKS, Stop: [{ hooks: [handler] }] } });

    expect(hasHooks(text, HOOKS)).toBe(false);
    expect(removeHooks(text)).toBe('{}');
  });

  test.each([
    'http://127.0.0.1:4157/hooks/claude-code/more',
    'http://127.0.0.1:4157/other?/hooks/claude-code',
    'http://example.com/hooks/claude-code',
    'https://127.0.0.1:4157/hooks/claude-code',
    'no url',
  ])('of other programs with the URL %s are kept', (url) => {
    const text = JSON.stringify({ hooks: { Stop: [{ hooks: [{ type: 'http', url }] }] } });

    expect(removeHooks(text)).toBe(text);
  });

  test.each([
    ['{ "a": 1, // why\n }', /comments or trailing commas/],
    ['{ "a": 1, }', /comments or trailing commas/],
    ['{ "a": 1', /is not JSON – line 1/],
    ['', /is not JSON – line 1, column 1/],
    ['[]', /no JSON object/],
    ['{"hooks": []}', /"hooks" that is no object/],
    ['{"hooks": null}', /"hooks" that is no object/],
    ['{"hooks": {"Stop": {}}}', /"hooks.Stop" that is no list/],
    ['{"hooks": {}, "hooks": {}}', /"hooks" twice/],
    ['['.repeat(100_000), /levels deep/],
  ])('are not added to %s', (text, reason) => {
    for (const act of [() => addHooks(text, HOOKS), () => removeHooks(text)]) {
      expect(act).toThrow(SettingsTextError);
      expect(act).toThrow(reason);
      expect(act).toThrow(/swarmlens hooks print/);
    }
  });

  test('have the style of the file around them', () => {
    const group = { hooks: [{ type: 'http' }] };
    const add = (text: string): string => addHooks(text, { Stop: [group] }).text;

    expect(add('{\n\t"a": 1\n}\n')).toBe(
      '{\n\t"a": 1,\n\t"hooks": {\n\t\t"Stop": [\n\t\t\t{\n\t\t\t\t"hooks": [\n\t\t\t\t\t{\n\t\t\t\t\t\t"type": "http"\n\t\t\t\t\t}\n\t\t\t\t]\n\t\t\t}\n\t\t]\n\t}\n}\n',
    );
    expect(add('{"a":1}')).toBe('{"a":1,"hooks":{"Stop":[{"hooks":[{"type":"http"}]}]}}');
  });
});

/** Settings without the hooks that installing and removing leaves empty when the positions are unknown. */
function withoutNewlyEmpty(value: Readonly<Record<string, unknown>>): unknown {
  const { hooks, ...rest } = value as { readonly hooks?: Readonly<Record<string, readonly unknown[]>> }; // made above
  const remaining = Object.entries(hooks ?? {}).filter(([event, groups]) => groups.length > 0 || !(event in HOOKS));
  return remaining.length === 0 ? rest : { ...rest, hooks: Object.fromEntries(remaining) };
}

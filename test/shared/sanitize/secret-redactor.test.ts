import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  protectSecrets,
  redact,
  REDACTED,
  sanitizeJson,
  sanitizeJsonText,
  SecretRedactor,
  toPrintableLine,
} from '../../../src/shared/sanitize/index.js';
import { runs } from '../../support/fuzz-inputs.js';
import { growsTooFast } from '../../support/growth.js';

const SECRET = 'kestrel "7" & <wörd>/+?=%';
const PLAIN = 'kestrel-seven-of-nine';

describe('SecretRedactor', () => {
  const redactor = new SecretRedactor([SECRET, PLAIN]);

  test.each<[string, (secret: string) => string]>([
    ['plain', (secret) => secret],
    ['JSON', (secret) => JSON.stringify(secret).slice(1, -1)],
    ['JSON in JSON', (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
    ['ASCII JSON', (secret) => JSON.stringify(secret).slice(1, -1).replaceAll('ö', '\\u00f6')],
    ['JavaScript', (secret) => inspect(secret).slice(1, -1)],
    ['percent encoding', encodeURIComponent],
    [
      'lowercase percent encoding',
      (secret) => encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase()),
    ],
    ['form', (secret) => new URLSearchParams({ a: secret }).toString().slice(2)],
    ['URL user', (secret) => Object.assign(new URL('http://x'), { username: secret }).username],
    ['URL path', (secret) => Object.assign(new URL('http://x'), { pathname: secret }).pathname.slice(1)],
    ['URL query', (secret) => Object.assign(new URL('http://x'), { search: secret }).search.slice(1)],
    ['base64', (secret) => Buffer.from(secret).toString('base64').replace(/=*$/, '')],
    ['base64url', (secret) => Buffer.from(secret).toString('base64url')],
    [
      'HTML',
      (secret) => secret.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;').replaceAll('"', '&quot;'),
    ],
    ['UTF-8 read as Latin-1', (secret) => Buffer.from(secret).toString('latin1')],
  ])('removes a secret in the form: %s', (_form, encode) => {
    const text = `before ${encode(SECRET)} after ${encode(PLAIN)}`;
    // The last character of base64 depends on what follows.
    expect(redactor.redact(text)).toMatch(/^before \[redacted\].? after \[redacted\].?$/);
    expect(redactor.occursIn(text)).toBe(true);
  });

  test('removes a secret from the base64 of a longer text at every offset', () => {
    for (const prefix of ['', 'u:', 'us:', 'use:']) {
      const pair = Buffer.from(`${prefix}${PLAIN}:tail`).toString('base64');
      const clean = redactor.redact(`Basic ${pair}`);
      const rest = Buffer.from(clean.replace('Basic ', '').replace(REDACTED, ''), 'base64').toString();
      expect(clean).toContain(REDACTED);
      expect(rest).not.toContain(PLAIN.slice(2, 8));
    }
  });

  test('leaves nothing of secrets that overlap or contain each other', () => {
    const overlapping = new SecretRedactor(['abcdefgh-1', 'gh-1-tail', 'bcdefgh-1-tail-9', 'xx-inner-xx', 'inner-xx']);
    expect(overlapping.redact('<abcdefgh-1-tail-9> xx-inner-xx')).toBe(`<${REDACTED}> ${REDACTED}`);
  });

  test('removes secrets of fewer than eight characters as whole words only, and none of fewer than four', () => {
    const short = new SecretRedactor(['pin7', 'abc']);
    expect(short.redact('pin7 pin77 spin7 "pin7"; abc')).toBe(`${REDACTED} pin77 spin7 "${REDACTED}"; abc`);
  });

  test('removes all lines of a secret that is longer than a search pattern', () => {
    const long = Array.from({ length: 100 }, (_, index) => `part ${index * 7919}`).join(',');
    expect(new SecretRedactor([long]).redact(`<${long}>`)).toBe(`<${REDACTED}>`);
  });

  test.each([
    [
      `Unexpected token 'k', "${PLAIN.slice(0, 10)}"... is not valid JSON`,
      `Unexpected token 'k', "${REDACTED}"... is not valid JSON`,
    ],
    [`..."${PLAIN.slice(4, 14)}"... is not valid JSON`, `..."${REDACTED}"... is not valid JSON`],
    [`header: ${PLAIN.slice(0, 8)}…`, `header: ${REDACTED}…`],
    [`…${PLAIN.slice(-8)}: invalid`, `…${REDACTED}: invalid`],
    ['nothing known... and more', 'nothing known... and more'],
  ])('removes a part of a secret at an ellipsis: %s', (text, clean) => {
    expect(redactor.redact(text)).toBe(clean);
  });

  test('removes the beginning of a secret at the end of a text only when the text was cut', () => {
    expect(redactor.redact(`value ${PLAIN.slice(0, 9)}`, true)).toBe(`value ${REDACTED}`);
    expect(redactor.redact(`value ${PLAIN.slice(0, 9)}`)).toBe(`value ${PLAIN.slice(0, 9)}`);
  });

  test('finds the same secrets as a search for one after the other', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), minLength: 8, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 20 }),
        fc.array(fc.oneof(word, fc.string())),
        (secrets, parts) => {
          const text = [...parts, ...secrets.slice(0, 2), ...parts].join('');
          const clean = new SecretRedactor(secrets).redact(text);
          expect(secrets.filter((secret) => clean.includes(secret))).toEqual([]);
          expect(new SecretRedactor(['not-in-the-text-9']).redact(text)).toBe(text);
        },
      ),
      runs(300),
    );
  });

  test.each(['a', 'ab', '...', '…', 'é', '"...', `${PLAIN.slice(0, 6)}...`, PLAIN])(
    'takes time in proportion to the text: repeated %j',
    async (input) => {
      const hostile = new SecretRedactor(['a'.repeat(300), `${'a'.repeat(30)}b`, 'abababab-9', PLAIN]);
      const prepare = (size: number): (() => string) => {
        const text = input.repeat(Math.ceil(size / input.length)).slice(0, size);
        return () => hostile.redact(text, true);
      };
      expect(await growsTooFast(prepare, 120_000)).toBe(false);
    },
  );
});

describe('protectSecrets', () => {
  test('removes secrets from texts, lines and JSON until it is disposed', () => {
    const values = (): unknown[] => [
      redact(`x ${PLAIN}`),
      toPrintableLine(`x ${PLAIN}\n${PLAIN.slice(0, 9)}`, 100, true),
      sanitizeJson({ [PLAIN]: [PLAIN] }).value,
      sanitizeJsonText(JSON.stringify({ text: `x ${PLAIN}` })).value,
    ];
    const before = values();
    {
      using _first = protectSecrets([PLAIN]);
      {
        using _second = protectSecrets([PLAIN, SECRET]);
      }
      expect(values()).toEqual([
        `x ${REDACTED}`,
        `x ${REDACTED} ${REDACTED}`,
        { [REDACTED]: [REDACTED] },
        { text: `x ${REDACTED}` },
      ]);
    }
    expect(values()).toEqual(before);
    expect(JSON.stringify(before)).not.toContain(REDACTED);
  });

  test('removes short secrets from values that are too short for a known format', () => {
    using _secrets = protectSecrets(['pin-77']);
    expect(sanitizeJson({ note: 'pin-77', id: 'agent-1' }).value).toEqual({ note: REDACTED, id: 'agent-1' });
  });

  test('does not leave the beginning of a secret where a line is truncated', () => {
    using _secrets = protectSecrets([PLAIN]);
    for (let length = 1; length <= 60; length += 1) {
      const line = toPrintableLine(`${'x '.repeat(10)}${PLAIN} and more ${PLAIN}`, length);
      expect(line).not.toContain(PLAIN.slice(0, 5));
    }
  });

  test('does not leave the beginning of a secret where a very long text is truncated before it is read', () => {
    const secret = 'kestrel seven of nine';
    using _secrets = protectSecrets([secret]);
    for (let shift = 0; shift < secret.length; shift += 1) {
      // So many secrets that the end of the part that is read becomes visible.
      const line = toPrintableLine('-'.repeat(shift) + `${secret};`.repeat(4_000), 65_536);
      expect(line).not.toMatch(/kestr|seven|nine/);
      expect(line.length).toBeLessThan(60_000);
    }
  });
});

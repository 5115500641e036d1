import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toPrintableLine, redact, REDACTED } from '../../../src/shared/sanitize/index.js';
import { TEXTS_WITH_PASSWORD, PASSWORD, SECRETS } from '../../support/secrets.js';

describe('redact', () => {
  test.each(Object.entries(SECRETS))('removes %s and keeps the surrounding text', (_name, secret) => {
    expect(redact(secret)).toBe(REDACTED);
    expect(redact(`before <${secret}> after`)).toBe(`before <${REDACTED}> after`);
    expect(redact(`"${secret}"`)).toBe(`"${REDACTED}"`);
    expect(redact(`name-${secret}`)).toBe(`name-${REDACTED}`);
    expect(redact(`name_${secret}`)).toBe(`name_${REDACTED}`);
  });

  test.each(TEXTS_WITH_PASSWORD)('%j: removes the value up to its end', (text) => {
    const clean = redact(text);
    expect(clean).toContain(REDACTED);
    expect(clean).not.toContain(PASSWORD);
    expect(clean).not.toContain(Buffer.from(`:${PASSWORD}`).toString('base64').slice(4, -4));
  });

  test.each([
    [`postgres://swarm:${PASSWORD}@db.example.test:5432/agents`, `postgres://${REDACTED}@db.example.test:5432/agents`],
    [`?api_key=${PASSWORD}&page=2`, `?api_key=${REDACTED}&page=2`],
    [`(password: ${PASSWORD})`, `(password: ${REDACTED})`],
    [`{"password":"${PASSWORD}","a":1}`, `{"password":"${REDACTED}","a":1}`],
    ['{"password":12345,"a":1}', `{"password":"${REDACTED}","a":1}`],
    [`Bearer ${PASSWORD}, and so on`, `Bearer ${REDACTED}, and so on`],
  ])('redacts %j to %j', (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  test.each([
    '550e8400-e29b-41d4-a716-446655440000',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'agent-1732530123456',
    'swarm_1732530123456_k3j9x2m1q',
    'task-1732530123456-abcdefghijklmnopqrstuvwxyz',
    'risk-assessment-for-the-whole-department-2026',
    'hive-mind-worker-17:queen',
    'token usage: 17',
    '"tokenUsage": 17, "max_tokens": 4096, "tokens": 5',
    'tokens=12 tokenizer=cl100k',
    'Unexpected token: }',
    'secretary: Bob',
    'secret-keeper: busy',
    'the monkey: eats; keyboard=qwerty; primaryKey=3',
    'PWD=/home/somebody/project',
    'Basic authentication is not supported, use bearer authentication',
    'http://127.0.0.1:3000/mcp?email=somebody@example.test',
    'git@github.com:swarmlens/swarmlens.git',
    'com.example.agents.coordination.CoordinatorService.start',
    'password: null, secret=false',
    '2026-11-23T15:02:56.464Z',
    'ghp_short sk-short AKIA-no',
  ])('keeps %j', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('for any text: a second run changes nothing', () => {
    const pieces = fc.constantFrom(
      ...['"', "'", '\\', '\\"', ' ', ':', '=', ',', '{', '}', '[', ']', '&', '@', '://', 'a', '7', '\n'],
      ...['password', 'token', 'authorization', 'cookie', 'Bearer ', 'Basic ', 'eyJ', 'key', REDACTED],
      ...TEXTS_WITH_PASSWORD,
      ...Object.values(SECRETS),
    );
    const texts = fc.array(pieces, { maxLength: 12 }).map((all) => all.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        const clean = redact(text);
        expect(redact(clean)).toBe(clean);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('toPrintableLine', () => {
  test.each([
    ['one\r\ntwo\tthree', 'one two three'],
    ['\u001b[31mred\u001b[0m \u202eevil\u202c', 'red evil'],
    [`  ${SECRETS['npm token'] ?? ''}  `, REDACTED],
    [`pass\u0000word=${PASSWORD}`, `password=${REDACTED}`],
    ['🐝🐝🐝', '🐝🐝'],
  ])('converts %j to %j', (text, line) => {
    expect(toPrintableLine(text, text.startsWith('🐝') ? 5 : 100)).toBe(line);
  });

  test('for any position: leaves no part of a secret at the truncation', () => {
    const secret = SECRETS['GitHub token'] ?? '';
    fc.assert(
      fc.property(fc.nat(16_500), (before) => {
        expect(toPrintableLine(`${'word '.repeat(4_000).slice(0, before)} ${secret} tail`, 100)).not.toContain(
          secret.slice(0, 8),
        );
        expect(toPrintableLine(`${' '.repeat(before)} ${secret}`, 100)).not.toContain(secret.slice(0, 8));
      }),
    );
  });
});

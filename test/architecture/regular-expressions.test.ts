import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';

const eslint = new ESLint();

/** Returns the rules that a line of a script violates. */
async function violatedRules(code: string): Promise<readonly (string | null)[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: 'scripts/example.js' });
  return result?.messages.map(({ ruleId }) => ruleId) ?? [];
}

describe('npm run check', () => {
  test.each([
    String.raw`/(?:a+)+$/.test(process.title);`,
    String.raw`/[)\]}.]+$/.test(process.title);`,
    String.raw`/:\/\/.*@/s.test(process.title);`,
    String.raw`/\$\{\w+(?::-[^}]*)?\}/.test(process.title);`,
  ])('rejects a pattern that takes more than linear time: %s', async (code) => {
    expect(await violatedRules(code)).toEqual(['redos/no-vulnerable']);
  });

  test.each(['new RegExp(process.title);', 'RegExp(process.title);'])(
    'rejects a pattern that is built at run time: %s',
    async (code) => {
      expect(await violatedRules(code)).toEqual(['no-restricted-syntax']);
    },
  );

  test('accepts a linear pattern', async () => {
    expect(await violatedRules(String.raw`/^[\w-]+(?:\.[\w-]+)*$/.test(process.title);`)).toEqual([]);
  });
});

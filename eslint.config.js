import js from '@eslint/js';
import jsdoc from 'eslint-plugin-jsdoc';
import redos from 'eslint-plugin-redos';
import tseslint from 'typescript-eslint';

/** Words that docs/glossary.md replaces; no identifier contains them. */
const REPLACED_WORDS =
  'extent|greet|greeted|heard|keeper|lane|lanes|lookers|mailboxes|manners|outlet|outlets|passage|picture|pictures|pulse|seat|seats|sieve|sight|sights|standing|supervisor|surroundings|tallies|tally|told|trouble|whoever|wish|wishes';
const REPLACED_WORD = [
  `(^|[^A-Za-z])(${REPLACED_WORDS})(?![a-z])`,
  `(${REPLACED_WORDS.replaceAll(/\b[a-z]/g, (first) => first.toUpperCase())})(?![a-z])`,
  `(^|_)(${REPLACED_WORDS.toUpperCase()})(?![A-Z])`,
].join('|');

const RESTRICTED_SYNTAX = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
  {
    selector: `:matches(Identifier, PrivateIdentifier)[name=/${REPLACED_WORD}/]`,
    message: 'Use the term of docs/glossary.md.',
  },
];

/** Files that run outside of tests. Their patterns meet texts from anywhere. */
const PROGRAM_FILES = ['src/**/*.ts', 'packages/client/src/**/*.ts', 'playground/**/*.{ts,tsx}', 'scripts/**/*.js'];

export default tseslint.config(
  { ignores: ['**/dist/**', '.cache/**', '**/node_modules/**', '**/generated/**', 'coverage/**', 'artifacts/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { jsdoc },
    rules: {
      // A doc comment stands alone: a verb in the third person or a noun, not a clause or the rest of a sentence.
      'jsdoc/match-description': [
        'error',
        {
          contexts: ['any'],
          message: 'Start with a verb in the third person or a noun, and end the sentence (docs/glossary.md)',
          matchDescription:
            '^(?!(?:What|Who|Whoever|Whose|Whom|Of|How|When|Where|That|Those|So|And|But|Or|As)\\b)[^a-z\\s,;][\\s\\S]*[^,;:—–]$',
        },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // A promise that nobody awaits is how a server loses its errors.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      // `async` without `await` is how a port with synchronous and asynchronous implementations is written.
      '@typescript-eslint/require-await': 'off',
      // `T | null | undefined` to `T | null` reads better with an explicit `??`, which this rule already asks for.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-restricted-globals': ['error', 'event', 'name'],
      'no-restricted-syntax': ['error', ...RESTRICTED_SYNTAX],
    },
  },
  {
    files: ['test/**/*.ts'],
    // vitest's asymmetric matchers are typed `any`.
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off' },
  },
  {
    files: PROGRAM_FILES,
    plugins: { redos },
    rules: {
      // recheck proves that each pattern takes linear time, or searches for a text that takes longer.
      'redos/no-vulnerable': [
        'error',
        { ignoreErrors: false, timeout: 60_000, cache: { location: '.cache/recheck.json', strategy: 'aggressive' } },
      ],
      'no-restricted-syntax': [
        'error',
        ...RESTRICTED_SYNTAX,
        {
          selector: ":matches(NewExpression, CallExpression)[callee.name='RegExp']",
          message: 'Use a literal, which can be checked. Search for texts with the methods of strings.',
        },
      ],
    },
  },
  {
    files: ['codegen.ts', '**/*.config.ts', '**/*.config.js'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        performance: 'readonly',
        setInterval: 'readonly',
      },
    },
  },
  {
    // tsc checks these, and knows what there is.
    files: ['examples/**/*.js'],
    rules: { 'no-undef': 'off' },
  },
);

const folder = process.env.MUTATION_FOLDER;
const cache = `.cache/mutation/${folder}`;

export default {
  mutate: [`src/${folder}/**/*.ts`],
  testRunner: 'vitest',
  plugins: [import.meta.resolve('@stryker-mutator/vitest-runner'), new URL('ignore-texts.js', import.meta.url).href],
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  coverageAnalysis: 'perTest',
  ignorers: ['texts'],
  // vitest removes types without a check.
  disableTypeChecks: false,
  // Copy of the code that is changed. Node.js finds the packages in the folders above it.
  tempDirName: `${cache}/sandbox`,
  symlinkNodeModules: false,
  ignorePatterns: [
    '**',
    '!src/**',
    '!test/**',
    '!packages/client/**',
    '!*.json',
    '!*.graphql',
    '!vitest.config.ts',
    'node_modules',
  ],
  incremental: true,
  incrementalFile: `${cache}/incremental.json`,
  concurrency: 1,
  // Ends mutants that collect values without end.
  testRunnerNodeArgs: ['--max-old-space-size=1024'],
  // Only ends a hang, so that a busy machine detects no mutant by its slowness.
  timeoutMS: 20_000,
  timeoutFactor: 2,
  reporters: ['clear-text', 'json', 'html', 'progress-append-only'],
  clearTextReporter: { logTests: false, reportTests: false, allowColor: false },
  jsonReporter: { fileName: `${cache}/report.json` },
  htmlReporter: { fileName: `${cache}/report.html` },
};

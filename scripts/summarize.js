// Adds up JSON reports of vitest. Prints failures with their messages, then the line `N passed, N failed, N skipped`. Fails if
// a test failed.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const totals = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  totals.passed += report.numPassedTests;
  totals.failed += report.numFailedTests;
  totals.skipped += report.numPendingTests + report.numTodoTests;
  // A suite that failed to load has no failed tests.
  for (const suite of report.testResults) {
    if (suite.status === 'failed' && suite.assertionResults.length === 0) {
      totals.failed += 1;
      console.log(`FAILED ${basename(path)} ${suite.name}: ${suite.message}`);
    }
    for (const { status, fullName, failureMessages } of suite.assertionResults) {
      if (status === 'failed') console.log(`FAILED ${basename(path)} ${fullName}: ${failureMessages.join('\n')}`);
    }
  }
}
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;

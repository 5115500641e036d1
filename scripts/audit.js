// Fails when a production dependency has a known vulnerability. That the registry cannot be asked, which says nothing of
// the dependencies, is told and does not fail.
// Usage: node scripts/audit.js [FILE]   FILE: a report of `npm audit --json`, instead of asking for one
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const file = process.argv[2];
const text =
  file === undefined
    ? spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' }).stdout
    : readFileSync(file, 'utf8');

let report = null;
try {
  report = JSON.parse(text);
} catch {
  // Told below.
}

const { vulnerabilities, metadata } = report ?? {};
if (vulnerabilities === undefined || typeof metadata?.vulnerabilities?.total !== 'number') {
  console.log(`npm audit: NOT ASKED, the registry gave no report: ${report?.message ?? 'no JSON'}`);
} else if (metadata.vulnerabilities.total === 0) {
  console.log('npm audit: no known vulnerability in production dependencies');
} else {
  for (const { name, severity, range, via } of Object.values(vulnerabilities)) {
    const why = via.map((each) => (typeof each === 'string' ? `by ${each}` : `${each.title} ${each.url}`)).join('; ');
    console.error(`${name} ${range}: ${severity}: ${why}`);
  }
  process.exitCode = 1;
}

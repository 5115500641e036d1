// Fails if a production dependency has a known vulnerability. Prints a note, and does not fail, if the registry is unavailable.
// Usage: node scripts/audit.js [FILE]   FILE: report of `npm audit --json` to read instead of requesting one
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
  // Reported below.
}

const { vulnerabilities, metadata } = report ?? {};
if (vulnerabilities === undefined || typeof metadata?.vulnerabilities?.total !== 'number') {
  console.log(`npm audit: NOT CHECKED, the registry sent no report: ${report?.message ?? 'no JSON'}`);
} else if (metadata.vulnerabilities.total === 0) {
  console.log('npm audit: no known vulnerabilities in production dependencies');
} else {
  for (const { name, severity, range, via } of Object.values(vulnerabilities)) {
    const reason = via
      .map((entry) => (typeof entry === 'string' ? `through ${entry}` : `${entry.title} ${entry.url}`))
      .join('; ');
    console.error(`${name} ${range}: ${severity}: ${reason}`);
  }
  process.exitCode = 1;
}

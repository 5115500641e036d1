// Requests the known vulnerabilities of production dependencies. Exits with 0 if there are none, with 1 if there are any, and
// with 3 if nothing was audited, because the registry is unavailable or npm works offline.
// Usage: node scripts/audit.js [FILE]   FILE: report of `npm audit --json` to read instead of requesting one
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const VULNERABLE = 1;
const NOT_AUDITED = 3;
const TIMEOUT_MS = 300_000;

/** Returns the report of npm as text. */
function requestReport() {
  // Offline, npm reports no vulnerabilities without asking for any.
  const args = ['audit', '--omit=dev', '--json', '--offline=false'];
  const { stdout, error } = spawnSync('npm', args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  if (error !== undefined) return JSON.stringify({ message: `npm audit did not finish: ${error.message}` });
  return stdout;
}

function parseReport(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return { message: 'npm printed no JSON' };
  }
}

const file = process.argv[2];
const { vulnerabilities, metadata, message } = parseReport(
  file === undefined ? requestReport() : readFileSync(file, 'utf8'),
);
const total = metadata?.vulnerabilities?.total;

if (typeof vulnerabilities !== 'object' || typeof total !== 'number') {
  console.error(`npm audit: NOT AUDITED: the registry sent no report: ${message ?? 'unknown format'}`);
  process.exitCode = NOT_AUDITED;
} else if (!(metadata.dependencies?.prod > 0)) {
  console.error('npm audit: NOT AUDITED: the report covers no production dependencies');
  process.exitCode = NOT_AUDITED;
} else if (total === 0) {
  console.log('npm audit: no known vulnerabilities in production dependencies');
} else {
  for (const { name, severity, range, via } of Object.values(vulnerabilities)) {
    const reason = via
      .map((entry) => (typeof entry === 'string' ? `through ${entry}` : `${entry.title} ${entry.url}`))
      .join('; ');
    console.error(`${name} ${range}: ${severity}: ${reason}`);
  }
  process.exitCode = VULNERABLE;
}

// Writes the licenses of all packages installed with swarmlens to docs/licenses.md of the working directory.
// Usage: node scripts/licenses.js [--check]   --check fails if the list is out of date, and changes nothing
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Licenses whose code may be distributed with, or installed by, a package under MIT. */
const ALLOWED = new Set([
  ...['MIT', 'MIT-0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0'],
  ...['BlueOak-1.0.0', 'CC0-1.0', 'Unlicense', 'Python-2.0', 'Zlib'],
]);

const FILE = 'docs/licenses.md';

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Returns the folder in which Node.js finds a package. Null if it is not installed. */
function findPackage(name, from) {
  for (let current = from; ; current = dirname(current)) {
    const folder = join(current, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (current === dirname(current)) return null;
  }
}

/**
 * Returns all packages installed for a package, including dependencies of dependencies. Optional dependencies may be missing.
 * Leaves out workspace packages, which are links and belong to swarmlens.
 */
function listInstalled(folder, missing, found = new Map()) {
  const { name: dependent, dependencies = {}, optionalDependencies = {} } = readManifest(folder);
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const path = findPackage(name, folder);
    if (path === null) {
      if (!(name in optionalDependencies))
        missing.push(`${name}, a dependency of ${dependent ?? folder}, is not installed`);
    } else if (lstatSync(path).isSymbolicLink()) {
      listInstalled(path, missing, found);
    } else if (!found.has(path)) {
      const manifest = readManifest(path);
      found.set(path, { name: manifest.name, version: manifest.version, license: readLicense(manifest) });
      listInstalled(path, missing, found);
    }
  }
  return found;
}

function readLicense({ license, licenses }) {
  if (typeof license === 'string') return license;
  const all = [license ?? licenses ?? []].flat().map((entry) => entry.type ?? entry);
  return all.length === 0 ? 'none' : all.join(' OR ');
}

/** Evaluates an SPDX expression without nested parentheses. */
function isAllowed(license) {
  const alternatives = license.replace(/[()]/g, '').split(' OR ');
  return alternatives.some((alternative) => alternative.split(' AND ').every((id) => ALLOWED.has(id.trim())));
}

const problems = [];
const installed = [...listInstalled(process.cwd(), problems).values()];
const rows = installed.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`);
const text = `# Licenses of installed packages

This page lists the packages that npm installs with swarmlens. \`npm run licenses\` writes it. A test fails if it is out of date, or
if a license is not allowed in \`scripts/licenses.js\`.

| package | version | license |
| --- | --- | --- |
${[...new Set(rows)].sort().join('\n')}
`;

for (const { name, version, license } of installed) {
  if (!isAllowed(license)) problems.push(`${name} ${version} has the license "${license}", which is not allowed.`);
}
if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== text) {
  problems.push(`${FILE} is out of date. Run \`npm run licenses\`.`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

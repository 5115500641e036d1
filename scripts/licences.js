// Lists the licences of all that is installed with swarmlens, in docs/licenses.md of the working directory.
// Usage: node scripts/licences.js [--check]   --check: changes nothing, and fails where the list is out of date
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Those under which code may be shipped with, or installed by, something under MIT. */
const ALLOWED = new Set([
  ...['MIT', 'MIT-0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0'],
  ...['BlueOak-1.0.0', 'CC0-1.0', 'Unlicense', 'Python-2.0', 'Zlib'],
]);

const FILE = 'docs/licenses.md';

function manifestIn(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Where a package finds another, as Node.js looks for it; `null`: it is not installed. */
function folderOf(name, from) {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (at === dirname(at)) return null;
  }
}

/** All that is installed for a package, with what its dependencies need themselves; those of other systems may be missing. */
function installedFor(folder, missing, found = new Map()) {
  const { name: asker, dependencies = {}, optionalDependencies = {} } = manifestIn(folder);
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const at = folderOf(name, folder);
    if (at === null) {
      if (!(name in optionalDependencies)) missing.push(`${name}, which ${asker ?? folder} needs, is not installed`);
    } else if (!found.has(at)) {
      const manifest = manifestIn(at);
      found.set(at, { name: manifest.name, version: manifest.version, licence: licenceOf(manifest) });
      installedFor(at, missing, found);
    }
  }
  return found;
}

function licenceOf({ license, licenses }) {
  if (typeof license === 'string') return license;
  const all = [license ?? licenses ?? []].flat().map((each) => each.type ?? each);
  return all.length === 0 ? 'none' : all.join(' OR ');
}

/** An SPDX expression without parentheses within parentheses, which nobody writes. */
function isAllowed(licence) {
  const words = licence.replace(/[()]/g, '');
  return words.split(' OR ').some((one) => one.split(' AND ').every((each) => ALLOWED.has(each.trim())));
}

const problems = [];
const installed = [...installedFor(process.cwd(), problems).values()];
const rows = installed.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
const text = `# Licences of what is installed with swarmlens

Made by \`npm run licences\`; a test fails when it is out of date, or when a licence is none of those that
\`scripts/licences.js\` allows.

| package | version | licence |
| --- | --- | --- |
${[...new Set(rows)].sort().join('\n')}
`;

for (const { name, version, licence } of installed) {
  if (!isAllowed(licence))
    problems.push(`${name} ${version}: the licence "${licence}" is none of those that are allowed`);
}
if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== text) {
  problems.push(`${FILE} is out of date: run \`npm run licences\``);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

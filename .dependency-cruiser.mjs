import { readFileSync } from 'node:fs';

/** Allowed imports between the rooms of src/ and between the parts of one room. */
const table = JSON.parse(readFileSync(new URL('test/architecture/rooms.json', import.meta.url), 'utf8'));

const rooms = Object.keys(table.imports);

/** Paths of a room: the files of its folder, or its single file. */
const pathOf = (room) => `^src/${room}(/|\\.ts$)`;
const anyOf = (names) => names.map(pathOf).join('|');

/** Rooms may import the rooms of their row only. */
const roomRules = rooms.map((room) => {
  const allowed = [room, ...table.imports[room]];
  const typesOnly = table.typeImports[room] ?? [];
  const others = rooms.filter((other) => !allowed.includes(other) && !typesOnly.includes(other));
  return {
    name: `imports-of-${room}`,
    comment: `${room} may import ${table.imports[room].join(', ') || 'no other room'}; see docs/architecture.md`,
    severity: 'error',
    from: { path: pathOf(room) },
    to: { path: anyOf(others) },
  };
});

const typeRules = Object.entries(table.typeImports).map(([room, others]) => ({
  name: `types-of-${room}`,
  comment: `${room} may import types of ${others.join(', ')}, but no values`,
  severity: 'error',
  from: { path: pathOf(room) },
  to: { path: anyOf(others), dependencyTypesNot: ['type-only'] },
}));

/** Parts of a room, a file or a folder, may import the parts of later rows only. */
const orderRules = Object.entries(table.order).flatMap(([room, rows]) => {
  const partPath = (part) => `^src/${room}/${part.replace('.', '\\.')}${part.endsWith('.ts') ? '$' : '/'}`;
  return rows.slice(1).map((row, index) => ({
    name: `order-in-${room}-${index + 1}`,
    comment: `in ${room}, ${row.join(', ')} may not import ${rows
      .slice(0, index + 1)
      .flat()
      .join(', ')}`,
    severity: 'error',
    from: { path: row.map(partPath).join('|') },
    to: {
      path: rows
        .slice(0, index + 1)
        .flat()
        .map(partPath)
        .join('|'),
    },
  }));
});

export default {
  forbidden: [
    ...roomRules,
    ...typeRules,
    ...orderRules,
    {
      name: 'no-circular',
      comment: 'Cycles, of types too, make parts impossible to read or test alone.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'public-face-only',
      comment: 'Another room is imported through its index.ts.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/[^/]+/',
        pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$', '^src/shared/(json|patterns|sanitize)/index\\.ts$'],
      },
    },
    {
      name: 'no-own-index',
      comment: 'Files of a room import each other directly.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/$1/index\\.ts$' },
    },
    {
      name: 'src-imports-src-and-packages',
      comment: 'src/ is published: it imports no tests, scripts, benchmarks or pages.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench|playground|examples)/' },
    },
    {
      name: 'client-stands-alone',
      comment: 'The client package and the playground reach the server over the network only.',
      severity: 'error',
      from: { path: '^(packages/client|playground)/' },
      to: { path: '^(src|test|scripts|bench)/' },
    },
    {
      name: 'not-resolvable',
      comment: 'The imported file or package does not exist.',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-catch-all-names',
      comment: 'utils, helpers and common do not say what they contain.',
      severity: 'error',
      from: { path: '^(src|packages)/' },
      to: { path: '(^|/)(utils|helpers|common)(/|\\.ts$)', pathNot: 'node_modules' },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '(^|/)dist/'] },
    exclude: { path: '(^|/)generated/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};

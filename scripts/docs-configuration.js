// Writes docs/configuration.md from the schema of the configuration; with --check, fails when it is not what is there.
// Expects a build.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { loadConfig } from '../dist/config/index.js';
import {
  httpServerSchema,
  swarmlensOptionsSchema,
  serverOptionsSchema,
  stdioServerSchema,
  tcpServerSchema,
  wsServerSchema,
} from '../dist/config/schema.js';
import { BREAKER_DEFAULTS, RESTART_DEFAULTS } from '../dist/upstream/pool/pool-options.js';
import { WORDS } from './docs-configuration-texts.js';

const FILE = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));

const used = new Set();

/** What JSON may stand there, as a person reads it. */
function kindOf(schema) {
  const {
    type,
    enum: values,
    const: constant,
    anyOf,
    minimum,
    maximum,
    exclusiveMinimum,
    items,
    maxItems,
    minItems,
  } = schema;
  if (anyOf !== undefined) return anyOf.map(kindOf).join(' or ');
  if (constant !== undefined) return `\`${constant}\``;
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (type === 'null') return '`null`';
  if (type === 'array') {
    const of =
      items?.type === undefined && items?.anyOf === undefined && items?.enum === undefined
        ? 'entries'
        : `of: ${kindOf(items)}`;
    const most = maxItems === undefined ? '' : `, at most ${maxItems}`;
    return `list ${of === 'entries' ? 'of entries' : of}${minItems === undefined ? '' : ', not empty'}${most}`;
  }
  if (type === 'integer') {
    return `whole number, ${grouped(minimum)} to ${grouped(maximum)}`;
  }
  if (type === 'number') {
    return `number above ${exclusiveMinimum}${maximum === undefined ? '' : `, up to ${grouped(maximum)}`}`;
  }
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'string') return 'text';
  return 'object';
}

function grouped(value) {
  return value.toLocaleString('en-US');
}

/** @param defaults of keys that have one that is more than nothing */
function tableOf(name, schema, defaults, leftOut = []) {
  const { properties, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const words = WORDS[name];
  const rows = Object.entries(properties)
    .filter(([key]) => !leftOut.includes(key))
    .map(([key, property]) => {
      if (words[key] === undefined)
        throw new Error(`scripts/docs-configuration-texts.js: nothing is said of ${name}.${key}`);
      used.add(`${name}.${key}`);
      const preset = required.includes(key)
        ? 'needed'
        : defaults[key] === undefined
          ? '–'
          : `\`${JSON.stringify(defaults[key])}\``;
      return `| \`${key}\` | ${kindOf(property)} | ${words[key]} | ${preset} |`;
    });
  return ['| key | takes | what | default |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** What the program makes of a configuration that says as little as possible. */
async function presets() {
  const cwd = mkdtempSync(join(tmpdir(), 'swarmlens-configuration-'));
  try {
    writeFileSync(join(cwd, 'least.json'), '{"mcpServers":{"server":{"command":"x"}}}');
    const config = await loadConfig({ flags: { config: 'least.json' }, env: {}, cwd, program: 'swarmlens' });
    const [server] = config.servers;
    return { config, server };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

async function reference() {
  const { config, server } = await presets();
  const own = swarmlensOptionsSchema.shape;
  const { auth, limits, discovery } = {
    auth: own.auth.unwrap(),
    limits: own.limits.unwrap(),
    discovery: own.discovery.unwrap(),
  };
  const entry = ['swarmlens', 'disabled'];
  const { allowTools, maxPollHz, maxPollShare, timeoutMs, connectTimeoutMs } = server;
  const { hosts, ports } = config.discovery;
  const parts = ['auth', 'limits', 'discovery', 'trustedDocuments'];
  const plain = Object.fromEntries(Object.entries(config).filter(([key]) => !parts.includes(key)));
  const text = `# Configuration

<!-- Written by scripts/docs-configuration.js (npm run codegen) from the schema of the configuration: change that, or
scripts/docs-configuration-texts.js, and not this file. -->

JSON in the shape that MCP clients use, so an existing \`.mcp.json\` works as it is; what is swarmlens' own sits under
\`swarmlens\`. Mistakes end the program with exit code 2 and one line each. \`\${VAR}\` in texts is taken from the environment.
The file is watched: servers that are added, removed or changed there are connected, dropped or reconnected at once; all
else is read when the program starts. [servers.md](servers.md) and [access-control.md](access-control.md) have examples.

\`\`\`json
{
  "mcpServers": {
    "flow": { "command": "npx", "args": ["claude-flow", "mcp", "start"], "swarmlens": { "maxPollHz": 10 } }
  },
  "swarmlens": { "port": 4000 }
}
\`\`\`

Flags beat the environment, the environment beats the file.

| flag of \`serve\` | environment | key of \`swarmlens\` |
| --- | --- | --- |
| \`--config\` | \`SWARMLENS_CONFIG\` | |
| \`--port\` | \`PORT\` | \`port\` |
| \`--host\` | \`HOST\` | \`host\` |
| \`--demo\` | | |
| \`--insecure-no-auth\` | \`SWARMLENS_INSECURE_NO_AUTH=1\` | |
| | \`LOG_LEVEL\` | \`logLevel\` |
| | \`OTEL_EXPORTER_OTLP_ENDPOINT\`, \`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT\`, \`OTEL_SDK_DISABLED\` | \`otlpEndpoint\` |

Where traces are sent, OpenTelemetry's other variables hold too: \`OTEL_EXPORTER_OTLP_HEADERS\`, \`OTEL_SERVICE_NAME\`,
\`OTEL_RESOURCE_ATTRIBUTES\`, \`OTEL_TRACES_SAMPLER\` and \`OTEL_BSP_…\`.

## \`swarmlens\`

${tableOf('swarmlens', swarmlensOptionsSchema, plain)}

### \`discovery\`

${tableOf('discovery', discovery, { hosts, ports })}

### \`auth\`

${tableOf('auth', auth, {})}

### \`auth.jwt\`

${tableOf('jwt', auth.shape.jwt.unwrap(), { clockToleranceSeconds: 0 })}

### \`limits\`

${tableOf('limits', limits, config.limits)}

## Servers

An entry of \`mcpServers\` is a server; its key is its id, 1 to 64 characters without a colon. \`"disabled": true\` leaves it
out. Keys that other programs read from the same file are let through.

### Started as a child process

${tableOf('stdio', stdioServerSchema, { args: [], env: {} }, entry)}

### Reached over HTTP

${tableOf('http', httpServerSchema, { headers: {} }, entry)}

### Reached over a WebSocket

${tableOf('ws', wsServerSchema, { headers: {} }, entry)}

### Reached over TCP

${tableOf('tcp', tcpServerSchema, {}, entry)}

### A server's own \`swarmlens\`

${tableOf('server', serverOptionsSchema, { allowTools, maxPollHz, maxPollShare, timeoutMs, connectTimeoutMs })}

### \`breaker\`

${tableOf('breaker', serverOptionsSchema.shape.breaker.unwrap(), BREAKER_DEFAULTS)}

### \`restart\`

${tableOf('restart', serverOptionsSchema.shape.restart.unwrap(), RESTART_DEFAULTS)}
`;
  const idle = Object.entries(WORDS)
    .flatMap(([name, words]) => Object.keys(words).map((key) => `${name}.${key}`))
    .filter((path) => !used.has(path));
  if (idle.length > 0) throw new Error(`scripts/docs-configuration-texts.js: there is no key ${idle.join(', ')}`);
  return await format(text, { ...(await resolveConfig(FILE)), parser: 'markdown', filepath: FILE });
}

const text = await reference();
if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text) {
  console.error('docs/configuration.md is not what the schema of the configuration says: run npm run codegen');
  process.exitCode = 1;
}

import { z } from 'zod';
import { didYouMean } from '../shared/index.js';

/** Entry of a server in the form that swarmlens parses, independent of the MCP client that the file belongs to. */
export interface NormalizedEntry {
  readonly isDisabled: boolean;
  /** Known keys with their values. Variables are not expanded yet. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Key in the file of each field that has another name there. */
  readonly sourceKeys: ReadonlyMap<string, string>;
  /** Path of a file with further environment variables. Null if there is none. */
  readonly envFile: unknown;
  /** Reasons for which swarmlens cannot connect to the server, by key. */
  readonly obstacles: readonly KeyMessage[];
  /** Messages about keys that have an effect in other programs and none here, by key. */
  readonly warnings: readonly KeyMessage[];
}

export interface KeyMessage {
  readonly key: string;
  readonly message: string;
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['stdio', 'stdio'],
  ['local', 'stdio'],
  ['command', 'stdio'],
  ['process', 'stdio'],
  ['http', 'http'],
  ['https', 'http'],
  ['remote', 'http'],
  ['streamable', 'http'],
  ['streamablehttp', 'http'],
  ['httpstream', 'http'],
  ['httpstreamable', 'http'],
  ['httpstreaming', 'http'],
  ['streaminghttp', 'http'],
  ['sse', 'sse'],
  ['httpsse', 'sse'],
  ['tcp', 'tcp'],
  ['socket', 'tcp'],
  ['ws', 'ws'],
  ['wss', 'ws'],
  ['websocket', 'ws'],
]);

/** Names of each field in the files of MCP clients, the preferred first. */
const ALIASES = {
  type: ['type', 'transport', 'transportType', 'transport_type'],
  url: [
    'url',
    'serverUrl',
    'serverURL',
    'server_url',
    'httpUrl',
    'http_url',
    'sseUrl',
    'sse_url',
    'wsUrl',
    'endpoint',
    'uri',
    'baseUrl',
  ],
  command: ['command', 'cmd'],
  args: ['args', 'arguments'],
  cwd: ['cwd', 'workingDirectory', 'working_directory', 'workdir'],
  env: ['env', 'environment', 'envs'],
  headers: ['headers', 'http_headers', 'httpHeaders'],
  envFile: ['envFile', 'env_file'],
} as const;

/** Transport that the name of a URL key implies. */
const URL_TYPES: Readonly<Record<string, string>> = {
  httpUrl: 'http',
  http_url: 'http',
  sseUrl: 'sse',
  sse_url: 'sse',
  wsUrl: 'ws',
};

/** Keys that have no effect on the connection. */
const HARMLESS_KEYS: ReadonlySet<string> = new Set([
  'alwaysAllow',
  'autoApprove',
  'always_allow',
  'author',
  'category',
  'default_tools_approval_mode',
  'description',
  'dev',
  'disabledTools',
  'disabled_tools',
  'docs',
  'enabledTools',
  'enabled_tools',
  'excludeTools',
  'gallery',
  'homepage',
  'icon',
  'id',
  'includeTools',
  'initTimeout',
  'init_timeout',
  'instructions',
  'logo',
  'metadata',
  'name',
  'note',
  'notes',
  'priority',
  'required',
  'scopes',
  'settings',
  'source',
  'tags',
  'timeout',
  'title',
  'tool_timeout_sec',
  'tools',
  'trust',
  'version',
]);

/** Keys that change how other programs reach the server, with what to write instead. */
const UNSUPPORTED_KEYS: Readonly<Record<string, string>> = {
  ca: 'set NODE_EXTRA_CA_CERTS',
  caCert: 'set NODE_EXTRA_CA_CERTS',
  cert: 'set NODE_EXTRA_CA_CERTS',
  container: 'write the command that starts the container, such as "docker"',
  docker: 'write the command that starts the container, such as "docker"',
  extends: 'copy the keys of the other entry',
  image: 'write the command that starts the container, such as "docker"',
  insecure: 'set NODE_EXTRA_CA_CERTS',
  proxy: 'run a local proxy and write its URL',
  rejectUnauthorized: 'set NODE_EXTRA_CA_CERTS',
  runtime: 'write the complete command',
  sandbox: 'the command is started without a sandbox',
  sandboxEnabled: 'the command is started without a sandbox',
  shell: 'write "sh" or "cmd" as the command',
  socket: 'write "host" and "port"',
  socketPath: 'write "host" and "port"',
  tls: 'set NODE_EXTRA_CA_CERTS',
  user: 'the command is started as the user of swarmlens',
};

const OAUTH = 'uses OAuth, which swarmlens does not perform – write a token into "headers"';

const objectSchema = z.looseObject({});
const commandObjectSchema = z.looseObject({ path: z.string() });
const assignmentsSchema = z.array(z.string().includes('='));

/** Returns an entry in the form that swarmlens parses. @param knownKeys keys that swarmlens reads in an entry */
export function normalizeEntry(
  entry: Readonly<Record<string, unknown>>,
  knownKeys: readonly string[],
): NormalizedEntry {
  const fields: Record<string, unknown> = {};
  const sourceKeys = new Map<string, string>();
  const obstacles: KeyMessage[] = [];
  const warnings: KeyMessage[] = [];
  const read = new Set<string>(['disabled', 'enabled']);
  const take = (field: keyof typeof ALIASES): unknown => {
    const key = ALIASES[field].find((name) => Object.hasOwn(entry, name) && entry[name] !== null);
    for (const name of ALIASES[field]) read.add(name);
    if (key === undefined) return undefined;
    if (key !== field) sourceKeys.set(field, key);
    return entry[key];
  };
  const set = (field: string, value: unknown): void => {
    if (value !== undefined) fields[field] = value;
  };
  for (const key of knownKeys) if (Object.hasOwn(entry, key) && entry[key] !== null) set(key, entry[key]);

  const type = take('type');
  set('type', typeof type === 'string' ? normalizeType(type, obstacles, sourceKeys.get('type') ?? 'type') : type);
  const url = take('url');
  set('url', url);
  const urlKey = sourceKeys.get('url');
  if (urlKey !== undefined && fields['type'] === undefined) set('type', URL_TYPES[urlKey]);
  const { command, args, env: commandEnv } = splitCommand(take('command'), take('args'));
  set('command', command);
  set('args', args);
  set('cwd', take('cwd'));
  const env = {
    ...toTexts(commandEnv),
    ...variablesOf(entry['env_vars']),
    ...toTexts(fromAssignments(take('env'))),
  };
  read.add('env_vars');
  const givenEnv = Object.hasOwn(entry, 'env') ? entry['env'] : undefined;
  set('env', isTable(givenEnv) || Object.keys(env).length > 0 ? env : (givenEnv ?? undefined));
  const headers = take('headers');
  const bearer = entry['bearer_token_env_var'];
  const headersFromEnvironment = objectSchema.safeParse(entry['env_http_headers']).data ?? {};
  for (const key of ['bearer_token_env_var', 'env_http_headers']) read.add(key);
  if (headers !== undefined && !isTable(headers)) set('headers', headers);
  else if (headers !== undefined || typeof bearer === 'string' || Object.keys(headersFromEnvironment).length > 0) {
    set('headers', {
      ...toTexts(headers),
      ...Object.fromEntries(
        Object.entries(headersFromEnvironment).map(([name, variable]) => [name, `\${${String(variable)}}`]),
      ),
      ...(typeof bearer === 'string' && { Authorization: `Bearer \${${bearer}}` }),
    });
  }
  const seconds = entry['startup_timeout_sec'];
  const milliseconds = entry['startup_timeout_ms'];
  for (const key of ['startup_timeout_sec', 'startup_timeout_ms']) read.add(key);
  const startupMs =
    typeof milliseconds === 'number' ? milliseconds : typeof seconds === 'number' ? seconds * 1_000 : null;
  const options = objectSchema.safeParse(entry['swarmlens'] ?? {});
  if (startupMs !== null && options.success && options.data['connectTimeoutMs'] === undefined)
    set('swarmlens', { ...options.data, connectTimeoutMs: Math.round(startupMs) });

  findObstacles(entry, fields, obstacles, read);
  const envFile = take('envFile');
  for (const key of Object.keys(entry)) {
    if (read.has(key) || knownKeys.includes(key) || HARMLESS_KEYS.has(key)) continue;
    const advice = Object.hasOwn(UNSUPPORTED_KEYS, key) ? UNSUPPORTED_KEYS[key] : undefined;
    if (advice !== undefined) warnings.push({ key, message: `is ignored – ${advice}` });
    else {
      const hint = didYouMean(key, [...knownKeys, 'enabled']);
      if (hint !== '') warnings.push({ key, message: `unknown option${hint}` });
    }
  }
  return {
    isDisabled: isTrue(entry['disabled']) || isFalse(entry['enabled']),
    fields,
    sourceKeys,
    envFile: envFile ?? null,
    obstacles,
    warnings,
  };
}

function normalizeType(text: string, obstacles: KeyMessage[], key: string): string | undefined {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/[-_ +/]/g, '');
  if (['sdk', 'inmemory', 'builtin', 'internal'].includes(name)) {
    obstacles.push({
      key,
      message: `${JSON.stringify(text.slice(0, 20))} runs inside another program, which swarmlens cannot reach`,
    });
    return undefined;
  }
  return TYPES.get(name) ?? text;
}

/** Splits a command that is a list, or an object with path, arguments and environment. */
function splitCommand(
  command: unknown,
  args: unknown,
): { readonly command: unknown; readonly args: unknown; readonly env?: unknown } {
  if (Array.isArray(command) && command.length > 0) {
    const [program, ...rest]: unknown[] = command;
    return { command: program, args: [...toTextList(rest), ...(Array.isArray(args) ? toTextList(args) : [])] };
  }
  const object = commandObjectSchema.safeParse(command).data;
  if (object !== undefined) {
    const given = args ?? object['args'];
    return { command: object.path, args: Array.isArray(given) ? toTextList(given) : given, env: object['env'] };
  }
  return { command, args: Array.isArray(args) ? toTextList(args) : args };
}

/** Converts numbers and booleans to text and leaves out null, as shells do. Other values are kept, to be rejected. */
function toTextList(values: readonly unknown[]): unknown[] {
  return values.filter((value) => value !== null).map(toText);
}

function toTexts(table: unknown): Record<string, unknown> {
  if (!isTable(table)) return {};
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, value]) => (value === null ? [] : [[key, toText(value)]])),
  );
}

function toText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : value;
}

/** Converts a list of `NAME=value`, as in files of container tools. */
function fromAssignments(env: unknown): unknown {
  const assignments = assignmentsSchema.safeParse(env).data;
  if (assignments === undefined) return env;
  return Object.fromEntries(
    assignments.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  );
}

/** Returns the variables that a list of names passes on from the environment. */
function variablesOf(names: unknown): Record<string, string> {
  const list: readonly unknown[] = Array.isArray(names) ? names : [];
  return Object.fromEntries(
    list.flatMap((item) => {
      const name = typeof item === 'string' ? item : objectSchema.safeParse(item).data?.['name'];
      return typeof name === 'string' ? [[name, `\${${name}:-}`]] : [];
    }),
  );
}

function findObstacles(
  entry: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, unknown>>,
  obstacles: KeyMessage[],
  read: Set<string>,
): void {
  for (const key of ['headersHelper', 'oauth', 'auth', 'authProviderType', 'oauth_resource']) read.add(key);
  if (entry['headersHelper'] != null)
    obstacles.push({
      key: 'headersHelper',
      message: 'is a program that creates headers, which swarmlens does not start – write "headers" with a variable',
    });
  for (const key of ['oauth', 'auth', 'authProviderType']) {
    const value = entry[key];
    const isOff = value == null || isFalse(value) || value === 'none' || value === '';
    const isDisabled = isFalse(objectSchema.safeParse(value).data?.['enabled']);
    if (!isOff && !isDisabled) obstacles.push({ key, message: OAUTH });
  }
  if (entry['source'] === 'extension' && fields['command'] === undefined && fields['url'] === undefined)
    obstacles.push({
      key: 'source',
      message: 'is an extension, whose command is not in the file – write its "command"',
    });
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function isFalse(value: unknown): boolean {
  return value === false || value === 'false';
}

import { didYouMean } from '../shared/index.js';
import { isTable, type Table } from './table.js';

/** Entry of a server in the form that swarmlens parses, independent of the MCP client that the file belongs to. */
export interface NormalizedEntry {
  readonly isDisabled: boolean;
  /** Known keys with their values. Variables are not expanded yet. */
  readonly fields: Table;
  /** Key in the file of each field that has another name there. */
  readonly sourceKeys: ReadonlyMap<string, string>;
  /** Path of a file with further environment variables. Null if there is none. */
  readonly envFile: unknown;
  /** Reasons for which swarmlens cannot connect to the server, by key. */
  readonly obstacles: readonly KeyMessage[];
  /** Messages about keys that have an effect in other programs and none here, by key. */
  readonly warnings: readonly KeyMessage[];
}

export interface EntryFormat {
  /** Keys that swarmlens reads in an entry. */
  readonly knownKeys: readonly string[];
  /** Transport of a URL in an entry without a type. @default `http` */
  readonly urlType?: 'http' | 'sse';
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
  ['streamablehttps', 'http'],
  ['httpstream', 'http'],
  ['httpstreamable', 'http'],
  ['httpstreaming', 'http'],
  ['streaminghttp', 'http'],
  ['sse', 'sse'],
  ['httpsse', 'sse'],
  ['sseide', 'sse'],
  ['tcp', 'tcp'],
  ['socket', 'tcp'],
  ['ws', 'ws'],
  ['wss', 'ws'],
  ['websocket', 'ws'],
  ['wside', 'ws'],
]);

/** Types of servers that run inside another program. */
const INTERNAL_TYPES: ReadonlySet<string> = new Set(['sdk', 'inmemory', 'builtin', 'internal', 'claudeaiproxy']);

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
    'base_url',
  ],
  command: ['command', 'cmd'],
  args: ['args', 'arguments'],
  cwd: ['cwd', 'workingDirectory', 'working_directory', 'workdir'],
  env: ['env', 'environment', 'envs'],
  headers: ['headers', 'http_headers', 'httpHeaders'],
  envFile: ['envFile', 'env_file'],
} as const;

const ALIAS_NAMES: readonly string[] = Object.values(ALIASES).flat();

/** Fields that are missing if their text is empty, as programs write them that show a form. */
const TEXT_FIELDS: ReadonlySet<string> = new Set(['type', 'url', 'cwd', 'envFile', 'command']);

/** Keys that disable an entry: if they are true, and if they are false. */
const DISABLING_KEYS = ['disabled', 'isDisabled'];
const ENABLING_KEYS = ['enabled', 'isEnabled', 'isActive', 'active'];

/** Range of a time limit in milliseconds. */
const MAX_TIMEOUT_MS = 3_600_000;

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

const TOKEN_ADVICE = 'write "headers" with "Authorization"';

/** Keys that change how other programs reach the server, with what to write instead. */
const UNSUPPORTED_KEYS: Readonly<Record<string, string>> = {
  apiKey: TOKEN_ADVICE,
  api_key: TOKEN_ADVICE,
  authToken: TOKEN_ADVICE,
  authorization: TOKEN_ADVICE,
  authorizationToken: TOKEN_ADVICE,
  authorization_token: TOKEN_ADVICE,
  bearerToken: TOKEN_ADVICE,
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

/** Returns an entry in the form that swarmlens parses. */
export function normalizeEntry(given: Table, { knownKeys, urlType = 'http' }: EntryFormat): NormalizedEntry {
  // Continue describes the address in `transport`.
  const transport = given['transport'];
  const entry: Table = isTable(transport) ? { ...without(given, 'transport'), ...transport } : given;
  const fields: Record<string, unknown> = {};
  const sourceKeys = new Map<string, string>();
  const obstacles: KeyMessage[] = [];
  const warnings: KeyMessage[] = [];
  const read = new Set<string>(['name', ...DISABLING_KEYS, ...ENABLING_KEYS]);
  const take = (field: keyof typeof ALIASES): unknown => {
    const isGiven = (name: string): boolean => Object.hasOwn(entry, name) && !isMissing(field, entry[name]);
    const key = ALIASES[field].find(isGiven);
    for (const name of ALIASES[field]) read.add(name);
    if (key === undefined) return undefined;
    if (key !== field) sourceKeys.set(field, key);
    return entry[key];
  };
  const set = (field: string, value: unknown): void => {
    if (value !== undefined) fields[field] = value;
  };
  for (const key of knownKeys)
    if (Object.hasOwn(entry, key) && !isMissing(key, entry[key])) set(key, key in ALIASES ? undefined : entry[key]);

  const type = take('type');
  set('type', typeof type === 'string' ? normalizeType(type, obstacles, sourceKeys.get('type') ?? 'type') : type);
  const url = take('url');
  set('url', url);
  if (url !== undefined && fields['type'] === undefined && !(typeof url === 'string' && /^wss?:/i.test(url)))
    set('type', URL_TYPES[sourceKeys.get('url') ?? ''] ?? (urlType === 'sse' ? urlType : undefined));
  const { command, args, env: commandEnv } = splitCommand(take('command'), take('args'));
  set('command', command);
  // An entry without any address has an empty command.
  if (command === undefined && url === undefined && entry['command'] === '') set('command', '');
  set('args', args);
  set('cwd', take('cwd'));
  set('env', mergeEnv(take('env'), { ...toTexts(commandEnv), ...variablesOf(entry['env_vars']) }));
  set('headers', mergeHeaders(take('headers'), entry));
  const startupMs = startupTimeoutMs(entry);
  const options = entry['swarmlens'] ?? {};
  if (startupMs !== null && isTable(options) && options['connectTimeoutMs'] === undefined)
    set('swarmlens', { ...options, connectTimeoutMs: startupMs });
  for (const key of [
    'env_vars',
    'bearer_token_env_var',
    'env_http_headers',
    'startup_timeout_sec',
    'startup_timeout_ms',
  ])
    read.add(key);

  findObstacles(entry, fields, obstacles, read);
  const envFile = take('envFile');
  if (command !== undefined && url !== undefined)
    warnings.push({ key: sourceKeys.get('url') ?? 'url', message: 'is ignored, because there is a "command"' });
  if (fields['token'] !== undefined && fields['url'] !== undefined)
    warnings.push({ key: 'token', message: `is ignored, because there is a URL – ${TOKEN_ADVICE}` });
  for (const key of Object.keys(entry)) {
    if (read.has(key) || knownKeys.includes(key) || HARMLESS_KEYS.has(key)) continue;
    const advice = Object.hasOwn(UNSUPPORTED_KEYS, key) ? UNSUPPORTED_KEYS[key] : undefined;
    if (advice !== undefined) warnings.push({ key, message: `is ignored – ${advice}` });
    else {
      const hint = didYouMean(key, [...new Set([...knownKeys, ...ALIAS_NAMES, 'enabled'])]);
      if (hint !== '') warnings.push({ key, message: `unknown option${hint}` });
    }
  }
  return {
    isDisabled: DISABLING_KEYS.some((key) => isTrue(entry[key])) || ENABLING_KEYS.some((key) => isFalse(entry[key])),
    fields,
    sourceKeys,
    envFile: envFile ?? null,
    obstacles,
    warnings,
  };
}

function isMissing(field: string, value: unknown): boolean {
  return value === null || (TEXT_FIELDS.has(field) && typeof value === 'string' && value.trim() === '');
}

function without(table: Table, key: string): Table {
  return Object.fromEntries(Object.entries(table).filter(([name]) => name !== key));
}

/** Adds the variables of other keys, which those of `env` override. Returns undefined if there are none. */
function mergeEnv(env: unknown, others: Table): unknown {
  const table = fromAssignments(env);
  if (table !== undefined && !isTable(table)) return table;
  const merged = { ...others, ...toTexts(table) };
  return table === undefined && Object.keys(merged).length === 0 ? undefined : merged;
}

/** Adds the headers that Codex reads from variables. Returns undefined if there are none. */
function mergeHeaders(headers: unknown, entry: Table): unknown {
  if (headers !== undefined && !isTable(headers)) return headers;
  const fromEnvironment = entry['env_http_headers'];
  const bearer = entry['bearer_token_env_var'];
  const merged = {
    ...toTexts(headers),
    ...toTexts(fromEnvironment, (variable) => `\${${String(variable)}}`),
    ...(typeof bearer === 'string' && { Authorization: `Bearer \${${bearer}}` }),
  };
  return headers === undefined && Object.keys(merged).length === 0 ? undefined : merged;
}

/** Returns the time limit of a start as Codex writes it, in milliseconds. Null if there is none. */
function startupTimeoutMs(entry: Table): number | null {
  const milliseconds = entry['startup_timeout_ms'];
  const seconds = entry['startup_timeout_sec'];
  const given = typeof milliseconds === 'number' ? milliseconds : typeof seconds === 'number' ? seconds * 1_000 : NaN;
  return given > 0 ? Math.max(1, Math.min(Math.round(given), MAX_TIMEOUT_MS)) : null;
}

function normalizeType(text: string, obstacles: KeyMessage[], key: string): string | undefined {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/[-_ +/.]/g, '');
  if (INTERNAL_TYPES.has(name)) {
    obstacles.push({
      key,
      message: `${JSON.stringify(text.slice(0, 20))} runs inside another program, which swarmlens cannot reach`,
    });
    return undefined;
  }
  return TYPES.get(name) ?? text;
}

interface Command {
  readonly command: unknown;
  readonly args: unknown;
  readonly env?: unknown;
}

/** Splits a command that is a list, an object with path, arguments and environment, or a text with arguments. */
function splitCommand(command: unknown, args: unknown): Command {
  const rest = Array.isArray(args) ? toTextList(args) : args;
  if (Array.isArray(command) && command.length > 0) {
    const words = toTextList(command);
    return { command: words[0], args: [...words.slice(1), ...(Array.isArray(rest) ? toTextList(rest) : [])] };
  }
  if (isTable(command) && typeof command['path'] === 'string') {
    const given = args ?? command['args'];
    return { command: command['path'], args: Array.isArray(given) ? toTextList(given) : given, env: command['env'] };
  }
  if (typeof command !== 'string') return { command, args: rest };
  const [program = '', ...words] = command.trim().split(/\s+/);
  // A path may contain spaces, and only a shell can read quotes. Names of programs contain none.
  if (words.length === 0 || !PROGRAM_NAME.test(program) || SHELL_SYNTAX.test(command))
    return { command: command.trim(), args: rest };
  if (rest !== undefined && !Array.isArray(rest)) return { command, args: rest };
  return { command: program, args: [...words, ...toTextList(rest ?? [])] };
}

const PROGRAM_NAME = /^[\w.@+-]+$/;
const SHELL_SYNTAX = /["'`|&;<>()\\]|:-/;

/** Converts numbers and booleans to text and leaves out null, as shells do. Other values are kept, to be rejected. */
function toTextList(values: readonly unknown[]): unknown[] {
  return values.filter((value) => value !== null).map(toText);
}

function toTexts(table: unknown, convert: (value: unknown) => unknown = toText): Record<string, unknown> {
  if (!isTable(table)) return {};
  return Object.fromEntries(
    Object.entries(table).flatMap(([key, value]) => (value === null ? [] : [[key, convert(value)]])),
  );
}

function toText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : value;
}

/** Converts a list of `NAME=value`, as in files of container tools. */
function fromAssignments(env: unknown): unknown {
  if (!Array.isArray(env)) return env;
  const assignments = env.filter((item): item is string => typeof item === 'string' && item.includes('='));
  if (assignments.length < env.length) return env;
  return Object.fromEntries(
    assignments.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  );
}

/** Returns the variables that a list of names passes on from the environment. */
function variablesOf(names: unknown): Record<string, string> {
  const list: readonly unknown[] = Array.isArray(names) ? names : [];
  return Object.fromEntries(
    list.flatMap((item) => {
      const name = isTable(item) ? item['name'] : item;
      return typeof name === 'string' ? [[name, `\${${name}:-}`]] : [];
    }),
  );
}

function findObstacles(entry: Table, fields: Table, obstacles: KeyMessage[], read: Set<string>): void {
  for (const key of ['headersHelper', 'oauth', 'auth', 'authProviderType', 'oauth_resource']) read.add(key);
  if (entry['headersHelper'] != null)
    obstacles.push({
      key: 'headersHelper',
      message: 'is a program that creates headers, which swarmlens does not start – write "headers" with a variable',
    });
  for (const key of ['oauth', 'auth', 'authProviderType']) {
    const value = entry[key];
    const isOff = value == null || isFalse(value) || value === 'none' || value === '';
    const isDisabled = isTable(value) && isFalse(value['enabled']);
    if (!isOff && !isDisabled) obstacles.push({ key, message: OAUTH });
  }
  if (entry['source'] === 'extension' && fields['command'] === undefined && fields['url'] === undefined)
    obstacles.push({
      key: 'source',
      message: 'is an extension, whose command is not in the file – write its "command"',
    });
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function isFalse(value: unknown): boolean {
  return value === false || value === 'false';
}

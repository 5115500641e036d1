import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { DEFAULT_HOOKS_PORT, HOOKS_TOKEN_VARIABLE } from '../../hooks/index.js';
import { OBSERVED_SOURCES } from '../../observer-format/index.js';
import { PriceFileError, runObserver, SHOWN_TEXTS } from '../../observers/index.js';
import { didYouMean, isLoopbackAddress } from '../../shared/index.js';
import { createLogger } from '../../telemetry/index.js';
import { parseDuration, parseFlags, parseWholeNumber } from '../arguments.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';
import { explainListenError } from '../listen-error.js';
import { withSecrets } from '../process-output.js';
import { readVersion } from '../version.js';

const DEFAULT_SINCE = '1d';

/** Serves what coding agents do over MCP, until its input ends or the program is asked to stop. */
export async function observe(args: readonly string[], context: CommandContext): Promise<number> {
  const { env, cwd, stdin, stdout, stderr, stopped } = context;
  // Parsing files fills the heap with short-lived objects. Without this, V8 lets the heap grow to more than twice its need.
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=1');
  const [name, ...rest] = args;
  const source = parseSource(name);
  const token = parseToken(env);
  const flags = parseFlags('observe', rest, {
    port: { type: 'string' },
    'hooks-port': { type: 'string' },
    'no-hooks': { type: 'boolean' },
    host: { type: 'string' },
    'show-text': { type: 'string' },
    since: { type: 'string' },
    root: { type: 'string' },
    prices: { type: 'string' },
  });
  const options = {
    source,
    root: flags.root === undefined ? null : resolve(cwd, flags.root),
    shownText: parseShownText(flags['show-text']),
    maxAgeMs: parseSince(flags.since ?? DEFAULT_SINCE),
    http: parseHttp(flags, token),
    hooksPort: parseHooksPort(flags['hooks-port'], flags['no-hooks'] === true),
    token,
    priceFile: flags.prices === undefined ? null : resolve(cwd, flags.prices),
    version: await readVersion(),
    env,
    logger: createLogger(env['LOG_LEVEL'] ?? 'info', { observer: source }),
  };
  try {
    return await withSecrets([token ?? ''], async () => {
      await using observer = await runObserver(options, { stdin, stdout });
      // Over stdio, the standard output belongs to MCP and there is no URL.
      if (observer.url !== null) stdout.write(`${observer.url}\n`);
      await Promise.race([observer.ended, stopped]);
      return 0;
    });
  } catch (error) {
    if (error instanceof PriceFileError) throw new UsageError(`swarmlens observe: --prices ${error.message}`);
    const advice = explainListenError(error);
    if (advice === null) throw error;
    stderr.write(`${options.http?.host}:${options.http?.port} ${advice}\n`);
    return 1;
  }
}

function parseHooksPort(text: string | undefined, isDisabled: boolean): number | null {
  if (isDisabled && text !== undefined) {
    throw new UsageError('swarmlens observe: --hooks-port and --no-hooks exclude each other');
  }
  return isDisabled ? null : parseWholeNumber('observe', 'hooks-port', text, DEFAULT_HOOKS_PORT, 65_535);
}

function parseSource(name: string | undefined) {
  const source = OBSERVED_SOURCES.find((candidate) => candidate === name);
  if (source !== undefined) return source;
  const reason =
    name === undefined || name.startsWith('-') ? 'the program to observe is missing' : `unknown program "${name}"`;
  const hint = name === undefined ? '' : didYouMean(name, [...OBSERVED_SOURCES]);
  throw new UsageError(`swarmlens observe: ${reason}${hint}, expected ${OBSERVED_SOURCES.join(' or ')}`);
}

/** Returns the options of HTTP. Null without a port, for stdio. */
function parseToken(env: CommandContext['env']): string | null {
  const token = env[HOOKS_TOKEN_VARIABLE] ?? null;
  if (token === '') throw new UsageError(`swarmlens observe: ${HOOKS_TOKEN_VARIABLE} is empty, expected a token`);
  return token;
}

function parseHttp(
  { host, port }: { readonly host?: string | undefined; readonly port?: string | undefined },
  token: string | null,
) {
  if (host !== undefined && port === undefined) throw new UsageError('swarmlens observe: --host requires --port');
  if (host !== undefined && !isLoopbackAddress(host) && token === null) {
    throw new UsageError(
      `swarmlens observe: --host is "${host}", but other machines need a token: set SWARMLENS_OBSERVE_TOKEN, or listen on 127.0.0.1`,
    );
  }
  if (port === undefined) return null;
  return { host: host ?? '127.0.0.1', port: parseWholeNumber('observe', 'port', port, 0, 65_535) };
}

function parseShownText(text: string | undefined) {
  const shown = SHOWN_TEXTS.find((candidate) => candidate === (text ?? 'none'));
  if (shown !== undefined) return shown;
  throw new UsageError(`swarmlens observe: --show-text is "${text ?? ''}", expected ${SHOWN_TEXTS.join(', ')}`);
}

function parseSince(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== null) return durationMs;
  throw new UsageError(`swarmlens observe: --since is "${text}", expected a duration such as 12h or 7d`);
}

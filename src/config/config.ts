import type { AuthOptions } from '../auth/index.js';
import type { EndpointConfig } from '../mcp/index.js';
import type { CodingAgent } from '../observer-format/index.js';
import type { RedisTls } from '../shared/index.js';
import type { UpstreamOptions } from '../upstream/index.js';
import type { SwarmlensOptions } from './schema.js';

/**
 * Validated configuration with every default filled in. `docs/configuration.md` describes the fields that it has in
 * common with the configuration file.
 */
export interface Config extends Readonly<
  Omit<
    SwarmlensOptions,
    'auth' | 'busTls' | 'discovery' | 'observe' | 'otlpEndpoint' | 'tapKeyFile' | 'trustedDocuments'
  >
> {
  /** Absolute path of the configuration file. Null if there is none. */
  readonly file: string | null;
  /** Warnings that do not prevent the start, one line each. */
  readonly warnings: readonly string[];
  readonly servers: readonly ServerConfig[];
  /** Whether the servers are the bundled simulators. */
  readonly demo: boolean;
  readonly discovery: DiscoveryTargets;
  /** Certificates for TLS connections to Redis. Null for the defaults of Node.js. */
  readonly busTls: RedisTls | null;
  /** Authentication of clients. Null if clients need no token. */
  readonly auth: AuthOptions | null;
  /** Origins of pages that may use the server, in addition to its own: `https://swarm.example`. */
  readonly origins: readonly string[];
  /** Names of further request headers that pages of these origins may send. */
  readonly allowHeaders: readonly string[];
  /** Documents that may be executed, by the SHA-256 of their text. Null if all may. */
  readonly trustedDocuments: ReadonlyMap<string, string> | null;
  /** Whether clients beyond loopback are accepted without a token. */
  readonly insecureNoAuth: boolean;
  /** Absolute path of the key that taps of the same user know. */
  readonly tapKeyFile: string;
  /** Values of the variables that the file uses, and headers of the trace exporter, by name. They may be secrets. */
  readonly variables: ReadonlyMap<string, string>;
  /** URL that receives traces as OTLP over HTTP. Null if traces are disabled. */
  readonly tracesUrl: string | null;
}

/** Places to look for servers that are not in the configuration. */
export interface DiscoveryTargets {
  /** Absolute path of the directory whose `.mcp.json` is read. Null reads no file. */
  readonly directory: string | null;
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
  /** Coding agents, which are listed if they are installed. @default none */
  readonly codingAgents?: readonly CodingAgent[];
  /** Time limit of one probe in milliseconds. @default 10000 */
  readonly probeTimeoutMs?: number;
}

/** Configuration of one server. Taps have no configuration. */
export type ServerConfig = Omit<UpstreamOptions, 'endpoint' | 'removeWhenExpired'> & {
  readonly endpoint: EndpointConfig;
};

export type LogLevel = Config['logLevel'];

/** Thrown for mistakes in flags, environment or file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** One line per mistake, with the key, its value and the expected value. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems.map(escapeControlCharacters);
    super(lines.join('\n'));
    this.problems = lines;
  }
}

/** Escapes line breaks and terminal control sequences, because keys and values are untrusted. */
function escapeControlCharacters(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

import type { ServerMapping } from '../adapters/index.js';
import type { AuthOptions } from '../auth/index.js';
import type { McpServerType } from '../model/index.js';
import type { Limits } from './limits.js';
import type { EndpointConfig } from '../mcp/index.js';
import type { RedisAddress } from '../shared/index.js';

/** A validated configuration, with every default filled in. */
export interface Config {
  /** What was read; absolute. `null`: there is none. */
  readonly file?: string | null;
  /** What is not wrong but should be seen, one line each. */
  readonly warnings?: readonly string[];
  /** Where servers are looked for that are not in the configuration. Left out: nowhere. */
  readonly discovery?: DiscoveryTargets;
  readonly servers: readonly ServerConfig[];
  /** How it is found out who somebody is; `null` or left out: nobody has to say. */
  readonly auth?: AuthOptions | null;
  /** Of pages of others that may use the server: `https://swarm.example`. Its own pages always may. */
  readonly origins?: readonly string[];
  /** The only documents that are run, by the SHA-256 of their text; `null`, or left out: all are. */
  readonly trustedDocuments?: ReadonlyMap<string, string> | null;
  /** Everybody is served who reaches the server, from wherever. */
  readonly insecureNoAuth?: boolean;
  /** Left out: the usual ones. */
  readonly limits?: Limits;
  /** A loopback address, unless there is authentication or somebody has asked for `insecureNoAuth`. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What carries changes between nodes; `memory`: there is one node. */
  readonly bus: 'memory' | RedisAddress;
  /** What the names of all keys and channels in Redis begin with: nodes of one prefix are one swarmlens. Left out: `swarmlens`. */
  readonly busPrefix?: string;
  /** How long a node is waited for that watches a server and is not heard of. Left out: 5000. */
  readonly leaseMs?: number;
  /** Where traces are posted to (OTLP over HTTP); `null`, or left out: there are none. */
  readonly tracesUrl?: string | null;
  readonly logLevel: LogLevel;
  /** The servers are the bundled simulators. */
  readonly demo: boolean;
  /** Between two polls of a server that nobody wants to know of. */
  readonly heartbeatMs: number;
  /** How long agents of a server that is gone stay; `null`, or left out: for ever. */
  readonly removeAfterMs?: number | null;
  /** Removals that a reader can resume over. */
  readonly tombstones: number;
  /**
   * How long the end may take, whatever clients do, when the program is asked to stop: they are asked to leave within the
   * first half of it, and cut off after three quarters. Child processes are then ended, one that does not heed that within
   * seconds.
   */
  readonly shutdownMs: number;
  /** Bytes of an update from which on clients that ask for it get it compressed; `null`: never. */
  readonly compressFromBytes: number | null;
  /** Unsent bytes above which a client gets no further updates until they have gone. */
  readonly maxBufferedBytes: number;
  /** How long a client may stay like that before it is closed with 1013; `null`: for ever. */
  readonly maxSlowMs: number | null;
}

export interface DiscoveryTargets {
  /** Whose `.mcp.json` is looked at; absolute. */
  readonly directory: string;
  readonly hosts: readonly string[];
  readonly ports: readonly number[];
}

export interface ServerConfig {
  /** 1–64 characters without a colon: it is the first part of global ids. */
  readonly id: string;
  readonly endpoint: EndpointConfig;
  /** `null`: found out. */
  readonly serverType: McpServerType | null;
  readonly maxPollHz: number;
  /** Of its time that polls may take; above 0, at most 1. */
  readonly maxPollShare: number;
  /** Tools that clients may call. */
  readonly allowTools: readonly string[];
  /** Of one call. */
  readonly timeoutMs: number;
  /** Of starting and greeting it: `npx` may have to install first. */
  readonly connectTimeoutMs: number;
  /** How a server that nobody here knows is read; its type is then `CUSTOM`. */
  readonly mapping?: ServerMapping;
  /** More endpoints of the same server. */
  readonly replicas?: readonly EndpointConfig[];
  /** Whether all calls go to one endpoint until that fails; left out: as the type of server has it. */
  readonly sticky?: boolean;
  readonly breaker?: BreakerConfig;
  readonly restart?: RestartConfig;
}

/** When the breaker of an endpoint opens, and for how long; what is left out has its default. */
export interface BreakerConfig {
  /** Calls in a row. */
  readonly failures?: number;
  readonly initialMs?: number;
  readonly maxMs?: number;
}

/** How an endpoint is connected, or started, again; what is left out has its default. */
export interface RestartConfig {
  readonly initialMs?: number;
  readonly maxMs?: number;
  /** Of a command; `null`: it is never given up. */
  readonly maxAttempts?: number | null;
}

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Mistakes in flags, environment or file: one line each, naming the key, the value and what is expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems.map(onOneLine);
    super(lines.join('\n'));
    this.problems = lines;
  }
}

/** Keys and values come from anywhere: a line break would fake a line, an escape would speak to the terminal. */
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

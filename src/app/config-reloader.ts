import { isDeepStrictEqual } from 'node:util';
import type { Bus } from '../cluster/index.js';
import type { UpstreamRegistry } from '../upstream/index.js';
import type { Config, ServerConfig } from '../config/index.js';
import type { Notice, NoticeSeverity } from '../model/index.js';
import { type Clock, errorMessage, isoTimestamp, type Logger } from '../shared/index.js';
import { emptyDelta } from '../state/index.js';

export interface ConfigReloaderDeps {
  readonly collector: UpstreamRegistry;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** All others are read once, when the program starts. */
const LIVE: ReadonlySet<string> = new Set(['servers', 'demo', 'file', 'warnings']);

/** Brings the running program to a configuration that has changed, and tells what that did. */
export class ConfigReloader {
  readonly #deps: ConfigReloaderDeps;
  readonly #started: Config;
  #servers: ReadonlyMap<string, ServerConfig>;
  #sent: readonly string[] = [];
  #isRefused = false;
  #applying: Promise<void> = Promise.resolve();

  constructor(config: Config, deps: ConfigReloaderDeps) {
    this.#deps = deps;
    this.#started = config;
    this.#servers = byId(config);
  }

  /** Those of the configuration that was applied last. */
  get servers(): readonly ServerConfig[] {
    return [...this.#servers.values()];
  }

  /** What the configuration that the program started with should make a person see. */
  async publishStartupWarnings(): Promise<void> {
    for (const warning of this.#started.warnings) await this.warn('CONFIG_WARNING', warning);
    this.#sent = this.#started.warnings;
  }

  /** Resolves when what is gone is closed and what is new has been begun. One configuration after another. */
  apply(config: Config): Promise<void> {
    const applied = this.#applying.then(() => this.#apply(config));
    this.#applying = applied.catch(() => undefined);
    return applied;
  }

  /** A file that is wrong: everything stays as it is. */
  async reject(problems: readonly string[]): Promise<void> {
    this.#isRefused = true;
    const message = `the changed configuration is not applied: ${problems.join('; ')}`;
    await this.warn('CONFIG_INVALID', message);
  }

  async #apply(config: Config): Promise<void> {
    const { collector, logger } = this.#deps;
    const before = this.#servers;
    this.#servers = byId(config);
    const added = config.servers.filter(({ id }) => !before.has(id));
    const removed = [...before.values()].filter(({ id }) => !this.#servers.has(id));
    const changed = config.servers.filter((server) => {
      const old = before.get(server.id);
      return old !== undefined && !isDeepStrictEqual(old, server);
    });
    const adjusted = changed.filter((server) => isSameConnection(before.get(server.id), server));
    const reconnected = changed.filter((server) => !adjusted.includes(server));
    for (const server of adjusted) collector.reconfigure(server);
    // Before any is connected: what has another name now may be the same program, which minds its twin.
    await Promise.all([...removed, ...reconnected].map(({ id }) => collector.remove(id)));
    const failed = [...added, ...reconnected].flatMap((server) => this.#add(server));
    const isIn = ({ id }: ServerConfig): boolean => this.#servers.has(id);
    const done = [
      ...describe('added', added.filter(isIn)),
      ...describe('removed', removed),
      ...describe('changed', changed.filter(isIn)),
    ];
    if (done.length > 0 || this.#isRefused) {
      this.#isRefused = false;
      const message = `the changed configuration is applied: ${done.join('; ') || 'no server has changed'}`;
      logger.info({ added: added.length, removed: removed.length, changed: changed.length }, message);
      await this.#notice('CONFIG_APPLIED', 'INFO', message);
    }
    const started = new Map<string, unknown>(Object.entries(this.#started));
    const fixed = Object.entries(config)
      .filter(([name, value]) => !LIVE.has(name) && !isDeepStrictEqual(value, started.get(name)))
      .map(([name]) => name);
    const later =
      fixed.length === 0 ? [] : [`${fixed.join(', ')}: changed in the file, and used from the next start on`];
    const warnings = [...config.warnings, ...later, ...failed];
    for (const warning of warnings) if (!this.#sent.includes(warning)) await this.warn('CONFIG_WARNING', warning);
    this.#sent = warnings;
  }

  /** @returns what keeps it out: a name, say, that somebody has taken who is in no configuration */
  #add(server: ServerConfig): string[] {
    try {
      this.#deps.collector.add(server);
      return [];
    } catch (error) {
      // So that the next configuration tries again.
      this.#servers = new Map([...this.#servers].filter(([id]) => id !== server.id));
      return [`${server.id} cannot be watched: ${errorMessage(error)}`];
    }
  }

  /** Tells a person in the log, and as a notice. */
  async warn(code: string, message: string): Promise<void> {
    this.#deps.logger.warn({ code }, message);
    await this.#notice(code, 'WARNING', message);
  }

  async #notice(code: string, severity: NoticeSeverity, message: string): Promise<void> {
    const { bus, clock } = this.#deps;
    const notice: Notice = { type: 'notice', code, severity, message, serverId: null, timestamp: isoTimestamp(clock) };
    await bus.publish({ ...emptyDelta(NO_SERVER), events: [notice] });
  }
}

/** No server bears it: names are not empty. */
const NO_SERVER = '';

function byId({ servers }: Config): ReadonlyMap<string, ServerConfig> {
  return new Map(servers.map((server) => [server.id, server]));
}

/** What is left may be changed while it is connected. */
function isSameConnection(old: ServerConfig | undefined, server: ServerConfig): boolean {
  return isDeepStrictEqual(old, { ...server, maxPollHz: old?.maxPollHz, allowTools: old?.allowTools });
}

function describe(what: string, servers: readonly ServerConfig[]): string[] {
  return servers.length === 0 ? [] : [`${what} ${servers.map(({ id }) => id).join(', ')}`];
}

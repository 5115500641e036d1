import { isDeepStrictEqual } from 'node:util';
import type { Bus } from '../cluster/index.js';
import type { UpstreamRegistry } from '../upstream/index.js';
import type { Config, ServerConfig } from '../config/index.js';
import type { Notice, NoticeSeverity } from '../model/index.js';
import { type Clock, errorMessage, isoTimestamp, type Logger } from '../shared/index.js';
import { collectSecrets, protectSecrets, redact } from '../shared/sanitize/index.js';
import { emptyDelta } from '../state/index.js';

export interface ConfigReloaderDeps {
  readonly upstreams: UpstreamRegistry;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Fields that take effect without a restart. */
const RELOADABLE_FIELDS: ReadonlySet<string> = new Set(['servers', 'demo', 'file', 'warnings', 'variables']);

/** Applies a changed configuration to the running program and reports the result. */
export class ConfigReloader implements Disposable {
  readonly #deps: ConfigReloaderDeps;
  readonly #initial: Config;
  #servers: ReadonlyMap<string, ServerConfig>;
  #publishedWarnings: readonly string[] = [];
  #isRejected = false;
  /** Secrets of the current configuration and of the one before, which late messages of closed connections may contain. */
  #protections: readonly Disposable[] = [];
  #pendingApply: Promise<void> = Promise.resolve();

  constructor(config: Config, deps: ConfigReloaderDeps) {
    this.#deps = deps;
    this.#initial = config;
    this.#servers = byId(config);
  }

  /** Servers of the configuration that was applied last. */
  get servers(): readonly ServerConfig[] {
    return [...this.#servers.values()];
  }

  /** Publishes the warnings of the initial configuration as notices. */
  async publishStartupWarnings(): Promise<void> {
    for (const warning of this.#initial.warnings) await this.warn('CONFIG_WARNING', warning);
    this.#publishedWarnings = this.#initial.warnings;
  }

  /** Resolves when removed servers are closed and added servers are being connected. Applies one configuration at a time. */
  apply(config: Config): Promise<void> {
    const applied = this.#pendingApply.then(() => this.#apply(config));
    this.#pendingApply = applied.catch(() => undefined);
    return applied;
  }

  /** Reports an invalid configuration. The current configuration stays in effect. */
  async reject(problems: readonly string[]): Promise<void> {
    this.#isRejected = true;
    const message = `The changed configuration is invalid and was not applied: ${problems.join('; ')}`;
    await this.warn('CONFIG_INVALID', message);
  }

  async #apply(config: Config): Promise<void> {
    const { upstreams, logger } = this.#deps;
    const protections = [...this.#protections, protectSecrets(collectSecrets(config))];
    this.#protections = protections;
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
    for (const server of adjusted) upstreams.reconfigure(server);
    // Removal comes first, because a renamed server may be the same program, which may not run twice.
    await Promise.all([...removed, ...reconnected].map(({ id }) => upstreams.remove(id)));
    for (const old of protections.slice(0, -2)) old[Symbol.dispose]();
    this.#protections = protections.slice(-2);
    const failed = [...added, ...reconnected].flatMap((server) => this.#add(server));
    const isIn = ({ id }: ServerConfig): boolean => this.#servers.has(id);
    const done = [
      ...describe('added', added.filter(isIn)),
      ...describe('removed', removed),
      ...describe('changed', changed.filter(isIn)),
    ];
    if (done.length > 0 || this.#isRejected) {
      this.#isRejected = false;
      const message = `Applied the changed configuration: ${done.join('; ') || 'no server changed'}`;
      logger.info({ added: added.length, removed: removed.length, changed: changed.length }, message);
      await this.#notice('CONFIG_APPLIED', 'INFO', message);
    }
    const initial = new Map<string, unknown>(Object.entries(this.#initial));
    const fixed = Object.entries(config)
      .filter(([name, value]) => !RELOADABLE_FIELDS.has(name) && !isDeepStrictEqual(value, initial.get(name)))
      .map(([name]) => name);
    const later =
      fixed.length === 0 ? [] : [`${fixed.join(', ')}: changed in the file; restart swarmlens to apply the change`];
    const warnings = [...config.warnings, ...later, ...failed];
    for (const warning of warnings)
      if (!this.#publishedWarnings.includes(warning)) await this.warn('CONFIG_WARNING', warning);
    this.#publishedWarnings = warnings;
  }

  /** Stops the protection of the secrets of changed configurations. */
  [Symbol.dispose](): void {
    for (const protection of this.#protections) protection[Symbol.dispose]();
  }

  /** Adds a server. @returns the reason if it cannot be added, for example because a tap uses its name */
  #add(server: ServerConfig): string[] {
    try {
      this.#deps.upstreams.add(server);
      return [];
    } catch (error) {
      // The next configuration tries again.
      this.#servers = new Map([...this.#servers].filter(([id]) => id !== server.id));
      return [`Server ${server.id} cannot be added: ${errorMessage(error)}`];
    }
  }

  /** Writes a warning to the log and publishes it as a notice. */
  async warn(code: string, message: string): Promise<void> {
    this.#deps.logger.warn({ code }, message);
    await this.#notice(code, 'WARNING', message);
  }

  async #notice(code: string, severity: NoticeSeverity, text: string): Promise<void> {
    const { bus, clock } = this.#deps;
    const message = redact(text);
    const notice: Notice = { type: 'notice', code, severity, message, serverId: null, timestamp: isoTimestamp(clock) };
    await bus.publish({ ...emptyDelta(NO_SERVER), events: [notice] });
  }
}

/** Id of no server, because names of servers are not empty. */
const NO_SERVER = '';

function byId({ servers }: Config): ReadonlyMap<string, ServerConfig> {
  return new Map(servers.map((server) => [server.id, server]));
}

/** Whether two configurations of a server differ in fields only that need no new connection. */
function isSameConnection(old: ServerConfig | undefined, server: ServerConfig): boolean {
  return isDeepStrictEqual(old, { ...server, maxPollHz: old?.maxPollHz, allowTools: old?.allowTools });
}

function describe(what: string, servers: readonly ServerConfig[]): string[] {
  return servers.length === 0 ? [] : [`${what} ${servers.map(({ id }) => id).join(', ')}`];
}

export { type Config, ConfigError, type LogLevel, type ServerConfig } from './config.js';
export { ConfigFileWatcher, type ConfigFileWatcherOptions } from './config-file-watcher.js';
export { type ConfigDraft, draftConfig, type DraftSources, formatDraft } from './draft-config.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export { type ConfigFlags, type ConfigSources, DEFAULT_CONFIG_FILE, loadConfig } from './load-config.js';
export { DEFAULT_SERVER_OPTIONS } from './servers/parse-server.js';

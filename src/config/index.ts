export { type Config, ConfigError, type LogLevel, type ServerConfig } from './config.js';
export { type ConfigSources, type ConfigFlags, loadConfig } from './load-config.js';
export { ConfigFileWatcher, type ConfigFileWatcherOptions } from './config-file-watcher.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';

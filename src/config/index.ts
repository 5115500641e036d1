export { type Config, ConfigError, type LogLevel, type ServerConfig } from './config.js';
export { type ConfigSources, type ConfigFlags, loadConfig } from './load.js';
export { ConfigFileWatcher, type ConfigFileWatcherOptions } from './watch.js';

export { type Config, ConfigError, type LogLevel, type ServerConfig } from './config.js';
export { type ConfigSources, type Flags, loadConfig } from './load.js';
export { ConfigWatch, type ConfigWatchOptions } from './watch.js';

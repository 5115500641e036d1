/** Running swarmlens inside another program. What clients need is in `swarmlens/client`. */
export { type App, type AppDeps, createApp } from './app/index.js';
export {
  type Config,
  ConfigError,
  type ConfigSources,
  type ConfigFlags,
  loadConfig,
  type ServerConfig,
} from './config/index.js';
export { type Clock, type Logger, systemClock } from './shared/index.js';
export { createLogger, silentLogger } from './telemetry/index.js';
export { type MetricsExporter } from './shared/index.js';

export { createClaudeCodeSource } from './claude-code/claude-code-source.js';
export { createCodexSource } from './codex/codex-source.js';
export { SHOWN_TEXTS, type ShownText } from './input/shown-text.js';
export { Observer, type ObserverOptions } from './observer.js';
export { MODEL_PRICES } from './prices/model-prices.js';
export { PriceFileError, PriceList } from './prices/price-list.js';
export { runObserver, type RunningObserver, type RunObserverOptions } from './run-observer.js';
export type { LogState, ProcessTable, ReadLog, SessionEntries, Source, SourceSessions } from './source.js';

export { type ConfigDocument, DocumentSyntaxError, parseDocument } from './config-document.js';
export { normalizeEntry, type NormalizedEntry } from './normalize-entry.js';
export { projectDirectory, readTextFile, urlTypeOf } from './read-text-file.js';
export { LIST_KEYS, type ListedServer, readServerLists } from './server-lists.js';
export { isTable, type Table } from './table.js';

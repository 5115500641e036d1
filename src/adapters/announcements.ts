import type { McpServerType } from '../model/index.js';

/** Returns whether servers of a type announce all of their changes by notifications about resources, as observers do. */
export function announcesChanges(type: McpServerType): boolean {
  return type === 'CLAUDE_CODE' || type === 'CODEX';
}

/** Returns whether notifications about the resources of a server are of use. Other servers of known types have none about agents. */
export function watchesResources(type: McpServerType): boolean {
  return type === 'CUSTOM' || announcesChanges(type);
}

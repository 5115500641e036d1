export { DEFAULT_HOOKS_PORT, HOOKS_PATH, HOOKS_TOKEN_VARIABLE, hooksUrl } from './hook-endpoint.js';
export { CLAUDE_CODE_EVENTS, createHooks, type HookOptions, type ProgramHooks } from './program-hooks.js';
export { createPlugin, PLUGIN_DIRECTORY } from './plugin.js';
export { planInstallation, planRemoval, type SettingsChange } from './settings-change.js';
export { SettingsFileError } from './settings-file.js';

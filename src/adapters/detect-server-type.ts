import type { McpServerType } from '../model/index.js';
import type { Adapter, AdapterContext } from './adapter.js';
import { ClaudeFlowAdapter } from './claude-flow/adapter.js';
import { CustomAdapter } from './custom/adapter.js';
import { DaaAdapter } from './daa/adapter.js';
import { GATEWAY_LIST_TOOL, GatewayAdapter } from './claude-flow/gateway-adapter.js';
import { ObserverAdapter } from './observer/adapter.js';
import { RuvSwarmAdapter } from './ruv-swarm/adapter.js';

/** Creates the adapter of a server type. */
export function createAdapter(type: McpServerType, context: AdapterContext): Adapter {
  switch (type) {
    case 'CLAUDE_FLOW':
      return isGateway(context.tools) ? new GatewayAdapter(context) : new ClaudeFlowAdapter(context);
    case 'RUV_SWARM':
      return new RuvSwarmAdapter(context);
    case 'DAA':
      return new DaaAdapter(context);
    case 'CLAUDE_CODE':
    case 'CODEX':
      return new ObserverAdapter(type, context);
    case 'CUSTOM':
      return new CustomAdapter(context);
  }
}

/** Patterns of the names that servers report. */
const NAME_PATTERNS: readonly (readonly [RegExp, McpServerType])[] = [
  [/^swarmlens-observer-claude-code$/, 'CLAUDE_CODE'],
  [/^swarmlens-observer-codex$/, 'CODEX'],
  [/ruv-?swarm/, 'RUV_SWARM'],
  [/claude-?flow|^ruflo/, 'CLAUDE_FLOW'],
  [/^daa\b/, 'DAA'],
];

/** Sets of tools that only servers of one type offer together. */
const TOOL_SETS: readonly (readonly [readonly string[], McpServerType])[] = [
  [['agent_list', 'hive-mind_status'], 'CLAUDE_FLOW'],
  [['agent_list', 'task_list', 'swarm_status'], 'CLAUDE_FLOW'],
  [['agent_list', 'task_status', 'task_orchestrate', 'swarm_status'], 'RUV_SWARM'],
  [['list_agents', 'get_swarm_status'], 'DAA'],
  [[GATEWAY_LIST_TOOL, 'agent/register'], 'CLAUDE_FLOW'],
];

/** Returns whether a server is VisionFlow's gateway, which has its own list method instead of `agent_list`. */
function isGateway(tools: ReadonlySet<string>): boolean {
  return tools.has(GATEWAY_LIST_TOOL) && !tools.has('agent_list');
}

/** Detects the type of a connected server from its name, or else from its tools. */
export function detectServerType(server: { readonly name: string; readonly tools: readonly string[] }): McpServerType {
  const name = server.name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');
  const match = NAME_PATTERNS.find(([pattern]) => pattern.test(name));
  if (match !== undefined) return match[1];
  const offered = new Set(server.tools);
  return TOOL_SETS.find(([tools]) => tools.every((tool) => offered.has(tool)))?.[1] ?? 'CUSTOM';
}

/** Server types by the names of packages and programs in command lines. */
const PROGRAMS: ReadonlyMap<string, McpServerType> = new Map([
  ['claude-flow', 'CLAUDE_FLOW'],
  ['ruflo', 'CLAUDE_FLOW'],
  ['ruv-swarm', 'RUV_SWARM'],
  ['daa-mcp', 'DAA'],
  ['observe claude-code', 'CLAUDE_CODE'],
  ['observe codex', 'CODEX'],
]);

/** Commands that run another program. */
const RUNNERS: ReadonlySet<string> = new Set(
  'npx npm pnpm pnpx yarn bun bunx deno node tsx exec dlx x run cmd sh bash zsh env nohup tap swarmlens'.split(' '),
);

/** Options of such commands with a separate value that is not the program. */
const OPTIONS_WITH_VALUE: ReadonlySet<string> = new Set('-r --require --import --loader --cwd --prefix -C'.split(' '));

/**
 * Guesses the type of a server from its command line before it is started. Considers only the program that is run, not
 * its arguments, which may contain a directory called `claude-flow`. Returns null if the type is unclear.
 */
export function guessServerType(command: string, args: readonly string[]): McpServerType | null {
  const program = findProgram([
    command,
    ...args.flatMap((arg, index) => (isShellFlag(args[index - 1]) ? splitWords(arg) : [arg])),
  ]);
  if (program === null) return null;
  for (const part of program.toLowerCase().split(/[\\/:@#]/)) {
    const type = PROGRAMS.get(part.replace(/\.(?:[cm]?[jt]s|cmd|exe|ps1)$/, ''));
    if (type !== undefined) return type;
  }
  return null;
}

function isShellFlag(argument: string | undefined): boolean {
  return argument === '-c' || argument === '/c';
}

/** Splits the command of a shell, which is one argument. */
function splitWords(argument: string): string[] {
  return argument.trim().split(/\s+/);
}

function findProgram(words: readonly string[]): string | null {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (OPTIONS_WITH_VALUE.has(word)) index += 1;
    // The command behind `swarmlens tap` follows the dashes.
    else if (word === 'tap' && words.includes('--', index)) index = words.indexOf('--', index);
    else if (word.startsWith('--package=')) return word.slice('--package='.length);
    // The program before these words is swarmlens, by its name or by the path of its main file.
    else if (isObserve(words, index + 1)) return words.slice(index + 1, index + 3).join(' ');
    // Skips options, `/c` of cmd and `NAME=value` of env. The value of `-p` is a package and is returned.
    else if (!/^(?:-|\/\w$|\w+=)/.test(word) && !isRunner(word)) return word;
  }
  return null;
}

/** Returns whether the words at an index are those with which swarmlens starts an observer. */
function isObserve(words: readonly string[], index: number): boolean {
  return words[index] === 'observe' && PROGRAMS.has(`observe ${words[index + 1] ?? ''}`);
}

function isRunner(word: string): boolean {
  const base = word.split(/[\\/]/).at(-1) ?? word;
  return RUNNERS.has(base.toLowerCase().replace(/\.(?:cmd|exe)$/, ''));
}

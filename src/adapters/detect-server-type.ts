import type { McpServerType } from '../model/index.js';
import type { Adapter, AdapterContext } from './adapter.js';
import { ClaudeFlowAdapter } from './claude-flow/adapter.js';
import { CustomAdapter } from './custom/adapter.js';
import { DaaAdapter } from './daa/adapter.js';
import { GATEWAY_LIST_TOOL, GatewayAdapter } from './claude-flow/gateway-adapter.js';
import { RuvSwarmAdapter } from './ruv-swarm/adapter.js';

export function createAdapter(type: McpServerType, context: AdapterContext): Adapter {
  switch (type) {
    case 'CLAUDE_FLOW':
      return isGateway(context.tools) ? new GatewayAdapter(context) : new ClaudeFlowAdapter(context);
    case 'RUV_SWARM':
      return new RuvSwarmAdapter(context);
    case 'DAA':
      return new DaaAdapter(context);
    case 'CUSTOM':
      return new CustomAdapter(context);
  }
}

/** What servers call themselves. */
const NAMES: readonly (readonly [RegExp, McpServerType])[] = [
  [/ruv-?swarm/, 'RUV_SWARM'],
  [/claude-?flow|^ruflo/, 'CLAUDE_FLOW'],
  [/^daa\b/, 'DAA'],
];

/** Tools that no server of another kind offers together. */
const TOOL_SETS: readonly (readonly [readonly string[], McpServerType])[] = [
  [['agent_list', 'hive-mind_status'], 'CLAUDE_FLOW'],
  [['agent_list', 'task_list', 'swarm_status'], 'CLAUDE_FLOW'],
  [['agent_list', 'task_status', 'task_orchestrate', 'swarm_status'], 'RUV_SWARM'],
  [['list_agents', 'get_swarm_status'], 'DAA'],
  [[GATEWAY_LIST_TOOL, 'agent/register'], 'CLAUDE_FLOW'],
];

/** A gateway has a list of its own where claude-flow itself has `agent_list`. */
function isGateway(tools: ReadonlySet<string>): boolean {
  return tools.has(GATEWAY_LIST_TOOL) && !tools.has('agent_list');
}

/** The kind of a server that is connected, from its own name, else from its tools. */
export function detectServerType(server: { readonly name: string; readonly tools: readonly string[] }): McpServerType {
  const name = server.name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');
  const named = NAMES.find(([pattern]) => pattern.test(name));
  if (named !== undefined) return named[1];
  const offered = new Set(server.tools);
  return TOOL_SETS.find(([tools]) => tools.every((tool) => offered.has(tool)))?.[1] ?? 'CUSTOM';
}

/** Packages and programs, by the names that stand in command lines. */
const PROGRAMS: ReadonlyMap<string, McpServerType> = new Map([
  ['claude-flow', 'CLAUDE_FLOW'],
  ['ruflo', 'CLAUDE_FLOW'],
  ['ruv-swarm', 'RUV_SWARM'],
  ['daa-mcp', 'DAA'],
]);

/** Words in front of the program that is started in the end. */
const RUNNERS: ReadonlySet<string> = new Set(
  'npx npm pnpm pnpx yarn bun bunx deno node tsx exec dlx x run cmd sh bash zsh env nohup tap swarmlens'.split(' '),
);

/** Options of runners whose value is a word of its own, and is not the program. */
const OPTIONS_WITH_VALUE: ReadonlySet<string> = new Set('-r --require --import --loader --cwd --prefix -C'.split(' '));

/**
 * The kind of a server that is yet to be started, from its command line; `null` when that does not tell. Only what is run
 * counts: a directory called `claude-flow` among the arguments of another program does not.
 */
export function guessServerType(command: string, args: readonly string[]): McpServerType | null {
  const program = programOf([
    command,
    ...args.flatMap((arg, index) => (isShellFlag(args[index - 1]) ? wordsOf(arg) : [arg])),
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

/** A shell's command is one argument of many words. */
function wordsOf(argument: string): string[] {
  return argument.trim().split(/\s+/);
}

function programOf(words: readonly string[]): string | null {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (OPTIONS_WITH_VALUE.has(word)) index += 1;
    // Ours: what it stands in for comes after the dashes.
    else if (word === 'tap' && words.includes('--', index)) index = words.indexOf('--', index);
    else if (word.startsWith('--package=')) return word.slice('--package='.length);
    // Options, `/c` of cmd, and `NAME=value` of env; the value of `-p` is a package, and so is what comes next here.
    else if (!/^(?:-|\/\w$|\w+=)/.test(word) && !isRunner(word)) return word;
  }
  return null;
}

function isRunner(word: string): boolean {
  const base = word.split(/[\\/]/).at(-1) ?? word;
  return RUNNERS.has(base.toLowerCase().replace(/\.(?:cmd|exe)$/, ''));
}

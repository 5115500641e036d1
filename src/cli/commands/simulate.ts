import { runSimulator, SIMULATOR_DEFAULTS, type SimulatorOptions } from '../../simulator/index.js';
import { parseFlags, parseWholeNumber } from '../arguments.js';
import type { CommandContext } from '../command-context.js';
import { UsageError } from '../help.js';

const TYPES = ['claude-flow', 'ruv-swarm', 'daa'] as const;
const TRANSPORTS = ['stdio', 'http', 'tcp'] as const;

/** Runs one simulated MCP server until its input ends or the program is asked to stop. */
export async function simulate(args: readonly string[], { stdin, stdout, stopped }: CommandContext): Promise<number> {
  const flags = parseFlags('simulate', args, {
    type: { type: 'string' },
    agents: { type: 'string' },
    seed: { type: 'string' },
    hz: { type: 'string' },
    transport: { type: 'string' },
    port: { type: 'string' },
  });
  const number = (flag: 'agents' | 'seed' | 'hz' | 'port', max: number): number =>
    parseWholeNumber('simulate', flag, flags[flag], SIMULATOR_DEFAULTS[flag], max);
  const options: SimulatorOptions = {
    type: parseChoice('type', flags.type, TYPES, undefined),
    transport: parseChoice('transport', flags.transport, TRANSPORTS, SIMULATOR_DEFAULTS.transport),
    agents: number('agents', 100_000),
    seed: number('seed', 2 ** 32 - 1),
    hz: number('hz', 1_000),
    port: number('port', 65_535),
  };
  await using simulator = await runSimulator(options, { stdin, stdout });
  // Over stdio, the standard output belongs to MCP and there is no URL.
  if (simulator.url !== null) stdout.write(`${simulator.url}\n`);
  await Promise.race([simulator.ended, stopped]);
  return 0;
}

function parseChoice<const T extends string>(
  flag: string,
  text: string | undefined,
  allowed: readonly T[],
  fallback: T | undefined,
): T {
  const choice = allowed.find((candidate) => candidate === text) ?? (text === undefined ? fallback : undefined);
  if (choice !== undefined) return choice;
  const reason = text === undefined ? 'is missing' : `is "${text}"`;
  throw new UsageError(`swarmlens simulate: --${flag} ${reason}, expected ${allowed.join(', ')}`);
}

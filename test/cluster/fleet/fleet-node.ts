import { type App, createApp } from '../../../src/app/create-app.js';
import { loadConfig } from '../../../src/config/index.js';
import { systemClock } from '../../../src/shared/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { PROGRAM } from '../../support/app.js';
import { Program } from '../../support/program.js';
import type { Line } from '../slow-network.js';

/** Node of a fleet, in a process of its own or in this process. */
export interface FleetNode extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  /** Network between the node and Redis. */
  readonly line: Line;
  /** Process id. Null if the node runs in this process. */
  readonly pid: number | null;
  /** Sends a signal to the process of the node. */
  signal(signal: NodeJS.Signals): void;
  /** Kills the process of the node, like a power cut. Rejects if the node runs in this process. */
  kill(): Promise<void>;
}

/** Starts a node. @returns a node that listens, but may not have connected to any server yet */
export async function startNode(
  name: string,
  { configFile, line, isProcess }: { readonly configFile: string; readonly line: Line; readonly isProcess: boolean },
): Promise<FleetNode> {
  return isProcess ? startProcess(name, configFile, line) : startHere(name, configFile, line);
}

async function startProcess(name: string, configFile: string, line: Line): Promise<FleetNode> {
  const program = new Program(['serve', '--config', configFile, '--port', '0'], { cwd: process.cwd() });
  const [, url = ''] = await program.printed(/ready at (\S+)\/graphql/);
  return {
    name,
    url,
    line,
    pid: program.pid,
    signal: (signal) => program.kill(signal),
    kill: () => program[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      program.kill('SIGTERM');
      const { code, stderr } = await program.outcome();
      await line[Symbol.asyncDispose]();
      if (code !== 0 && code !== null) throw new Error(`node ${name} ended with ${code}: ${stderr}`);
    },
  };
}

async function startHere(name: string, configFile: string, line: Line): Promise<FleetNode> {
  const sources = { flags: { config: configFile, port: '0' }, env: {}, cwd: process.cwd(), program: PROGRAM };
  const app: App = await createApp(await loadConfig(sources), { clock: systemClock, logger: silentLogger });
  const message = `node ${name} runs in the process of the test`;
  return {
    name,
    url: app.url,
    line,
    pid: null,
    signal: () => {
      throw new Error(message);
    },
    kill: () => Promise.reject(new Error(message)),
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await line[Symbol.asyncDispose]();
    },
  };
}

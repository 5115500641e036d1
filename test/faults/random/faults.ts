import type { SeededRandom } from '../../../src/simulator/world/random.js';
import type { Damage, FaultyServer, Life } from '../faulty-server.js';

const MB = 1024 * 1024;

/** Temporary fault of a server. */
export interface Fault {
  readonly name: string;
  begin(server: FaultyServer, random: SeededRandom): Promise<unknown>;
  end(server: FaultyServer): Promise<unknown>;
}

const nothing = (): Promise<unknown> => Promise.resolve();

/** Creates a fault that damages responses until it ends. */
function damaged(damage: Damage): Fault {
  return {
    name: damage.bytes === undefined ? damage.kind : `${damage.kind} ${damage.bytes / MB} MB`,
    begin: (server) => server.order({ do: 'damage', damage }),
    end: async (server) => {
      await server.order({ do: 'damage', damage: null });
      await server.order({ do: 'release' });
    },
  };
}

/** Creates a fault that kills the server and changes the options of its next incarnation. */
function reborn(name: string, life: (random: SeededRandom) => Partial<Life>): Fault {
  return {
    name,
    begin: async (server, random) => {
      server.life = { ...server.life, ...life(random) };
      server.kill('SIGKILL');
    },
    end: nothing,
  };
}

const STOPPED: Fault = {
  name: 'SIGSTOP',
  begin: async (server) => server.kill('SIGSTOP'),
  end: async (server) => server.kill('SIGCONT'),
};

/** Faults of servers that swarmlens starts. */
export const FAULTS_OF_A_PROCESS: readonly Fault[] = [
  reborn('SIGKILL', () => ({})),
  reborn('other agents', (random) => ({ agents: 2 + random.below(10), seed: random.below(1_000) })),
  reborn('clock off', (random) => ({ clockOffsetMs: (random.below(80) - 40) * 365 * 86_400_000 })),
  STOPPED,
  {
    name: 'ends after the handshake',
    begin: async (server) => {
      server.life = { ...server.life, exitOn: { count: 1 } };
      server.kill('SIGKILL');
    },
    end: async (server) => {
      server.life = { ...server.life, exitOn: null };
    },
  },
  damaged({ kind: 'silent' }),
  damaged({ kind: 'late' }),
  damaged({ kind: 'twice' }),
  damaged({ kind: 'wrongId' }),
  damaged({ kind: 'invalidJson' }),
  damaged({ kind: 'halfLine' }),
  damaged({ kind: 'idlessError' }),
  damaged({ kind: 'padded', bytes: 9 * MB, times: 1 }),
  damaged({ kind: 'padded', bytes: 11 * MB, times: 1 }),
  damaged({ kind: 'drip', times: 2 }),
  { name: 'flood', begin: (server) => server.order({ do: 'flood', count: 5_000 }), end: nothing },
];

/** Faults of servers behind a listening front. */
export const FAULTS_OF_A_NETWORK: readonly Fault[] = [
  STOPPED,
  {
    name: 'refuses',
    begin: (server) => server.order({ do: 'refuse' }),
    end: (server) => server.order({ do: 'accept' }),
  },
  {
    name: 'hangs up',
    begin: (server) => server.order({ do: 'hangUp', on: 'tools/call' }),
    end: (server) => server.order({ do: 'hangUp', on: null }),
  },
];

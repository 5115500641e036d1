import { runSimulator } from '../../src/simulator/index.js';

await using simulator = await runSimulator(
  { type: 'claude-flow', agents: 5, seed: 1, hz: 10, transport: 'stdio', port: 0 },
  { stdin: process.stdin, stdout: process.stdout },
);
await simulator.ended;

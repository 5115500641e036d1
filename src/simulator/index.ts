export { runSimulator, SIMULATOR_DEFAULTS, type RunningSimulator, type SimulatorOptions } from './run-simulator.js';
export { SIMULATED_CAPABILITY } from './mcp-server.js';

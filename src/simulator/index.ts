export { runSimulator, SIMULATOR_DEFAULTS, type RunningSimulator, type SimulatorOptions } from './run-simulator.js';

/** Features of the real server, equal in all recordings. */
export const FEATURES = { neural_networks: true, forecasting: true, cognitive_diversity: true, simd_support: true };

const module = (loaded: boolean, size: number, priority: string, deps: readonly string[]): object => ({
  loaded,
  loading: false,
  placeholder: false,
  size,
  priority,
  deps,
});

export const WASM_MODULES = {
  core: module(true, 524_288, 'high', []),
  neural: module(true, 1_048_576, 'medium', ['core']),
  forecasting: module(true, 1_572_864, 'medium', ['core']),
  swarm: module(false, 786_432, 'high', ['core']),
  persistence: module(false, 262_144, 'high', ['core']),
};

export const NEURAL_FEATURES = {
  available: true,
  activation_functions: 18,
  training_algorithms: 5,
  cascade_correlation: true,
};

export const DETECTED_FEATURES = {
  runtime: { webassembly: true, simd: true, workers: false, shared_array_buffer: true, bigint: true },
  wasm: { modules_loaded: WASM_MODULES, total_memory_mb: 48, simd_support: true },
  ruv_swarm: FEATURES,
  neural_networks: NEURAL_FEATURES,
  forecasting: { available: true, models_available: 27, ensemble_methods: true },
  cognitive_diversity: { available: true, patterns_available: 5, pattern_optimization: true },
};

export const WASM_MEMORY = { total_mb: 48, wasm_mb: 48, javascript_mb: 0, available_mb: 0 };

export const WASM_MEMORY_DETAILS = {
  wasm_modules: {
    core: { size_mb: 0.5, loaded: true },
    neural: { size_mb: 1, loaded: true },
    forecasting: { size_mb: 1.5, loaded: true },
  },
  memory_breakdown: { agents: 0, neural_networks: 0, swarm_state: 0, task_queue: 0 },
};

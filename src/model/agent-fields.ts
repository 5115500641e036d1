/**
 * Tables of the fields of `AgentPerformance` and `AgentNeural`. The types, the messages between nodes, the patches, the
 * aggregated metrics, the mapping of custom servers and the GraphQL fields derive from them, in this order.
 */

interface PerformanceFieldSpec {
  /** `ratio`: number from 0 to 1; `count`: integer from 0; `amount`: number from 0. */
  readonly kind: 'ratio' | 'count' | 'amount';
  /** Aggregation over agents in `PerformanceMetrics`. Null if the field is not aggregated. */
  readonly aggregate: 'sum' | 'mean' | null;
  /** Description in the GraphQL schema. */
  readonly description: string;
}

export const PERFORMANCE_FIELDS = {
  cpuUsage: { kind: 'ratio', aggregate: 'mean', description: 'CPU usage, 0 to 1.' },
  memoryUsage: { kind: 'ratio', aggregate: 'mean', description: 'Memory usage, 0 to 1.' },
  healthScore: {
    kind: 'ratio',
    aggregate: 'mean',
    description: 'Health, 0 to 1. Declared by the server and rarely measured.',
  },
  activityLevel: { kind: 'ratio', aggregate: null, description: 'Activity, 0 (idle) to 1 (busy).' },
  tasksActive: { kind: 'count', aggregate: 'sum', description: 'Number of assigned tasks that have not ended.' },
  tasksCompleted: { kind: 'count', aggregate: 'sum', description: 'Number of completed tasks.' },
  tasksFailed: { kind: 'count', aggregate: 'sum', description: 'Number of failed tasks.' },
  successRate: { kind: 'ratio', aggregate: 'mean', description: 'Share of ended tasks that succeeded, 0 to 1.' },
  tokenUsage: { kind: 'amount', aggregate: 'sum', description: 'Number of tokens used since the agent started.' },
  tokenRate: { kind: 'amount', aggregate: 'sum', description: 'Tokens used per second.' },
  responseTimeMs: { kind: 'amount', aggregate: 'mean', description: 'Response time in milliseconds.' },
  throughput: { kind: 'amount', aggregate: 'sum', description: 'Tasks completed per second.' },
} as const satisfies Record<string, PerformanceFieldSpec>;

interface NeuralFieldSpec {
  /** `word`: lower-case word of an open vocabulary; `reference`: id; `count`: integer from 0; `ratio`: number from 0 to 1. */
  readonly kind: 'word' | 'reference' | 'count' | 'ratio';
  /** Description in the GraphQL schema. */
  readonly description: string;
}

export const NEURAL_FIELDS = {
  cognitivePattern: {
    kind: 'word',
    description:
      'Cognitive pattern in lower case, open vocabulary: convergent, divergent, lateral, systems, critical, adaptive, …',
  },
  networkId: { kind: 'reference', description: "Id of the agent's neural network on the server." },
  adaptations: { kind: 'count', description: 'Number of adaptations since the agent started.' },
  learningRate: { kind: 'ratio', description: 'Learning rate, 0 to 1.' },
} as const satisfies Record<string, NeuralFieldSpec>;

type PerformanceFields = typeof PERFORMANCE_FIELDS;
export type PerformanceField = keyof PerformanceFields;

/** Performance values of an agent as its server reports them. Null if the server does not report the value. */
export type AgentPerformance = Readonly<Record<PerformanceField, number | null>>;

type FieldsAggregatedBy<A> = {
  [F in PerformanceField]: PerformanceFields[F]['aggregate'] extends A ? F : never;
}[PerformanceField];
export type SummedField = FieldsAggregatedBy<'sum'>;
export type AveragedField = FieldsAggregatedBy<'mean'>;
export type MeanName<F extends AveragedField = AveragedField> = `mean${Capitalize<F>}`;

/** Aggregated performance of a set of agents. Null if no agent of the set reports the value. */
export type AggregatedPerformance = Readonly<Record<SummedField, number | null>> & {
  readonly [F in AveragedField as MeanName<F>]: number | null;
};

type NeuralFields = typeof NEURAL_FIELDS;
export type NeuralField = keyof NeuralFields;
export type NeuralTextField = {
  [F in NeuralField]: NeuralFields[F]['kind'] extends 'word' | 'reference' ? F : never;
}[NeuralField];
export type NeuralNumberField = Exclude<NeuralField, NeuralTextField>;

/** Neural values of an agent as its server reports them. Null if the server does not report the value. */
export type AgentNeural = Readonly<Record<NeuralTextField, string | null>> &
  Readonly<Record<NeuralNumberField, number | null>>;

// Object.keys drops the key type; the tables are closed.
export const PERFORMANCE_FIELD_NAMES = Object.keys(PERFORMANCE_FIELDS) as readonly PerformanceField[];
// Object.keys drops the key type, as above.
export const NEURAL_FIELD_NAMES = Object.keys(NEURAL_FIELDS) as readonly NeuralField[];

export const SUMMED_FIELDS = PERFORMANCE_FIELD_NAMES.filter(
  (name): name is SummedField => PERFORMANCE_FIELDS[name].aggregate === 'sum',
);
export const AVERAGED_FIELDS = PERFORMANCE_FIELD_NAMES.filter(
  (name): name is AveragedField => PERFORMANCE_FIELDS[name].aggregate === 'mean',
);

export function isNeuralTextField(name: NeuralField): name is NeuralTextField {
  const { kind } = NEURAL_FIELDS[name];
  return kind === 'word' || kind === 'reference';
}

/** Returns the name of the mean of a field in `PerformanceMetrics`, such as `meanCpuUsage`. */
export function toMeanName(field: AveragedField): MeanName {
  // The template type is computed by the same rule as the text.
  return `mean${field.charAt(0).toUpperCase()}${field.slice(1)}` as MeanName;
}

/** Returns an object with one value per performance field. */
export function mapPerformanceFields<T>(toValue: (name: PerformanceField) => T): Record<PerformanceField, T> {
  // Object.fromEntries drops the key type; every name has an entry.
  return Object.fromEntries(PERFORMANCE_FIELD_NAMES.map((name) => [name, toValue(name)])) as Record<
    PerformanceField,
    T
  >;
}

/** Returns an object with one value per neural field. */
export function mapNeuralFields<T, N>(
  toText: (name: NeuralTextField) => T,
  toNumber: (name: NeuralNumberField) => N,
): Record<NeuralTextField, T> & Record<NeuralNumberField, N> {
  // Object.fromEntries drops the key type; every name has an entry of its kind.
  return Object.fromEntries(
    NEURAL_FIELD_NAMES.map((name) => [name, isNeuralTextField(name) ? toText(name) : toNumber(name)]),
  ) as Record<NeuralTextField, T> & Record<NeuralNumberField, N>;
}

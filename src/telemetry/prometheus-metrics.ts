import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { BoundedLabelValues, OVERFLOW_LABEL } from './label-values.js';
import type { MetricsExporter, MetricsRecorder, TickSkipCause, ToolCallOutcome } from '../shared/index.js';
import type { ObservableMetric } from './observable-metric.js';

/** Maximum number of servers with their own label value. */
const MAX_SERVERS = 128;
/** Maximum number of pairs of server and tool with their own label values. */
const MAX_TOOLS = 512;
/** Maximum number of tools per server, so that one server cannot use up the total. */
const MAX_TOOLS_OF_ONE = 64;

const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const DELIVERY_SECONDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1];

const CALL_OUTCOMES: readonly ToolCallOutcome[] = ['ok', 'error', 'timeout', 'failed', 'busy', 'not_sent'];

/** Metrics in Prometheus text format. Each instance has its own registry, because a program may run several. */
export class PrometheusMetrics implements MetricsRecorder, MetricsExporter {
  readonly #registry: Registry = new Registry();
  readonly #serverIds = new BoundedLabelValues(MAX_SERVERS);
  readonly #tools = new Map<string, BoundedLabelValues>();
  #toolCount = 0;
  readonly #calls: Counter<'server' | 'tool' | 'outcome'>;
  readonly #callSeconds: Histogram<'server' | 'tool'>;
  readonly #polls: Counter<'server' | 'outcome'>;
  readonly #pollSeconds: Histogram<'server'>;
  readonly #deliverySeconds: Histogram;
  readonly #skipped: Record<TickSkipCause, number> = { slow_reader: 0, busy_server: 0 };
  #updates = 0;

  constructor() {
    const registers = [this.#registry];
    this.#calls = new Counter({
      name: 'swarmlens_mcp_calls_total',
      help: 'Completed tool calls to MCP servers, by outcome.',
      labelNames: ['server', 'tool', 'outcome'],
      registers,
    });
    this.#callSeconds = new Histogram({
      name: 'swarmlens_mcp_call_duration_seconds',
      help: 'Duration of tool calls, including queueing and all attempts.',
      labelNames: ['server', 'tool'],
      buckets: CALL_SECONDS,
      registers,
    });
    this.#polls = new Counter({
      name: 'swarmlens_polls_total',
      help: 'Polls of MCP servers, by outcome.',
      labelNames: ['server', 'outcome'],
      registers,
    });
    this.#pollSeconds = new Histogram({
      name: 'swarmlens_poll_duration_seconds',
      help: 'Duration of polls, including all their tool calls.',
      labelNames: ['server'],
      buckets: CALL_SECONDS,
      registers,
    });
    this.#deliverySeconds = new Histogram({
      name: 'swarmlens_tick_to_client_seconds',
      help: 'Time from the due time of a tick until an update of a subscription group was written to the sockets of all its readers. See swarmlens_websocket_round_trip_seconds for the network.',
      buckets: DELIVERY_SECONDS,
      registers,
    });
    this.register({
      name: 'swarmlens_updates_sent_total',
      help: 'Updates delivered to readers. An update for a thousand readers counts a thousand times.',
      labels: [],
      read: () => [[{}, this.#updates]],
    });
    this.register({
      name: 'swarmlens_conflated_ticks_total',
      help: 'Skipped ticks whose changes were sent later: one per slow reader, or one per rate while the server was busy.',
      labels: ['cause'],
      read: () => Object.entries(this.#skipped).map(([cause, ticks]) => [{ cause }, ticks] as const),
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  recordToolCall(serverId: string, tool: string, outcome: ToolCallOutcome, durationMs: number): void {
    const server = this.#serverIds.valueFor(serverId);
    const labels = { server, tool: this.#toolLabel(server, tool) };
    this.#calls.inc({ ...labels, outcome });
    // A call that was not sent has no duration.
    if (outcome !== 'not_sent') this.#callSeconds.observe(labels, durationMs / 1000);
  }

  recordPoll(serverId: string, answered: boolean, durationMs: number): void {
    const server = this.#serverIds.valueFor(serverId);
    this.#polls.inc({ server, outcome: answered ? 'answered' : 'unanswered' });
    this.#pollSeconds.observe({ server }, durationMs / 1000);
  }

  recordDelivery(readers: number, latencyMs: number | null): void {
    this.#updates += readers;
    if (latencyMs !== null) this.#deliverySeconds.observe(latencyMs / 1000);
  }

  recordSkippedTicks(cause: TickSkipCause, ticks: number): void {
    this.#skipped[cause] += ticks;
  }

  /** Registers an observable metric: a counter if its name ends in `_total`, a gauge otherwise. */
  register({ name, help, labels, read }: ObservableMetric): void {
    const shared = { name, help, labelNames: [...labels], registers: [this.#registry] };
    const update = (metric: Counter | Gauge): void => {
      metric.reset();
      // prom-client initializes metrics without labels with 0. A metric without samples must not appear.
      if (labels.length === 0) metric.remove({});
      // Samples with equal labels, such as "other", are added up.
      for (const [found, value] of read()) metric.inc(found, value);
    };
    if (name.endsWith('_total')) {
      new Counter({
        ...shared,
        collect() {
          update(this);
        },
      });
      return;
    }
    new Gauge({
      ...shared,
      collect() {
        update(this);
      },
    });
  }

  /** Removes a server and its series, so that another server can take its place. */
  forget(serverId: string): void {
    const server = this.#serverIds.valueFor(serverId);
    if (server === OVERFLOW_LABEL) return;
    this.#serverIds.forget(server);
    for (const outcome of ['answered', 'unanswered']) this.#polls.remove({ server, outcome });
    this.#pollSeconds.remove({ server });
    const tools = this.#tools.get(server);
    if (tools === undefined) return;
    this.#tools.delete(server);
    this.#toolCount -= tools.size;
    for (const tool of [...tools.values(), OVERFLOW_LABEL]) {
      for (const outcome of CALL_OUTCOMES) this.#calls.remove({ server, tool, outcome });
      this.#callSeconds.remove({ server, tool });
    }
  }

  async read(): Promise<string> {
    return await this.#registry.metrics();
  }

  #toolLabel(server: string, tool: string): string {
    let tools = this.#tools.get(server);
    if (tools === undefined) this.#tools.set(server, (tools = new BoundedLabelValues(MAX_TOOLS_OF_ONE)));
    const before = tools.size;
    if (this.#toolCount >= MAX_TOOLS && !tools.has(tool)) return OVERFLOW_LABEL;
    const value = tools.valueFor(tool);
    this.#toolCount += tools.size - before;
    return value;
  }
}

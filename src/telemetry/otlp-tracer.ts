import { type Context, type Link, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import type { Clock, DeliverySpan, Logger, PollSpan, TracedChange, Tracer } from '../shared/index.js';

/** Changes that a delivery can still belong to: a reader that is further behind is told of the newest ones only. */
const MAX_CHANGES = 256;
/** Changes beside the newest one that one delivery names. */
const MAX_LINKS = 31;
/** One batch has so long to be sent, all tries together: the end of the program waits for the last. */
const SEND_MS = 2_000;
/** Between two lines of the log that say that traces do not get through. */
const QUIET_MS = 60_000;

export interface OtlpTracerOptions {
  /** Where spans are posted to: ends in `/v1/traces` as a rule. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Poll {
  readonly startedAtMs: number;
  /** Made when the poll has led to something: most find nothing new, and would drown the others. */
  span: Span | null;
}

interface Change {
  readonly number: number;
  readonly serverId: string;
  readonly span: Span;
}

/**
 * Sends spans to an OpenTelemetry collector. Nothing is registered globally. Sampling, headers, the service's name and
 * the sizes of batches are what OpenTelemetry's own environment variables say.
 */
export class OtlpTracer implements Tracer {
  readonly #clock: Clock;
  readonly #provider: NodeTracerProvider;
  readonly #polls = new Map<string, Poll>();
  #changes: Change[] = [];
  #position = 0;

  constructor(options: OtlpTracerOptions) {
    this.#clock = options.clock;
    this.#provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'swarmlens' }).merge(
        detectResources({ detectors: [envDetector] }),
      ),
      spanProcessors: [
        new BatchSpanProcessor(logged(new OTLPTraceExporter({ url: options.url, timeoutMillis: SEND_MS }), options)),
      ],
    });
  }

  get position(): number {
    return this.#position;
  }

  startPoll(serverId: string): PollSpan {
    const poll: Poll = { startedAtMs: this.#clock.now(), span: null };
    this.#polls.set(serverId, poll);
    return {
      end: (answered) => {
        if (this.#polls.get(serverId) === poll) this.#polls.delete(serverId);
        if (!answered) this.#spanOf(serverId, poll).setStatus({ code: SpanStatusCode.ERROR });
        poll.span?.end(this.#clock.now());
      },
    };
  }

  recordChange({ serverId, agents, removedAgents, revision }: TracedChange): void {
    const poll = this.#polls.get(serverId);
    const span = this.#start('change', poll === undefined ? ROOT_CONTEXT : contextOf(this.#spanOf(serverId, poll)), {
      'swarmlens.server.id': serverId,
      'swarmlens.agents.changed': agents,
      'swarmlens.agents.removed': removedAgents,
      'swarmlens.revision': revision,
    });
    span.end(this.#clock.now());
    this.#position += 1;
    this.#changes.push({ number: this.#position, serverId, span });
    if (this.#changes.length > MAX_CHANGES) this.#changes = this.#changes.slice(-MAX_CHANGES / 2);
  }

  startDelivery(serverIds: ReadonlySet<string>, since: number): DeliverySpan | null {
    const told = this.#changes.filter(({ number, serverId }) => number > since && serverIds.has(serverId));
    const newest = told.at(-1);
    if (newest === undefined) return null;
    const conflated = told.slice(0, -1);
    const links: Link[] = conflated.slice(-MAX_LINKS).map(({ span }) => ({ context: span.spanContext() }));
    const span = this.#start(
      'delivery',
      contextOf(newest.span),
      { 'swarmlens.changes.conflated': conflated.length },
      links,
    );
    return {
      end: (readers) => {
        span.setAttribute('swarmlens.readers', readers);
        if (readers === 0) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(this.#clock.now());
      },
    };
  }

  /** Sends what is left, as far as somebody takes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // What could not be sent stands in the log.
    await this.#provider.shutdown().catch(() => undefined);
  }

  #spanOf(serverId: string, poll: Poll): Span {
    const attributes = { 'swarmlens.server.id': serverId };
    return (poll.span ??= this.#start('poll', ROOT_CONTEXT, attributes, [], poll.startedAtMs));
  }

  #start(
    name: string,
    parent: Context,
    attributes: Readonly<Record<string, string | number>>,
    links: Link[] = [],
    startTime = this.#clock.now(),
  ): Span {
    return this.#provider.getTracer('swarmlens').startSpan(name, { attributes, links, startTime }, parent);
  }
}

function contextOf(span: Span): Context {
  return trace.setSpan(ROOT_CONTEXT, span);
}

/** OpenTelemetry is silent about what it cannot send. */
function logged(exporter: SpanExporter, { clock, logger }: OtlpTracerOptions): SpanExporter {
  let quietUntilMs = -Infinity;
  return {
    export(spans, callback) {
      exporter.export(spans, (result) => {
        const nowMs = clock.monotonic();
        if (result.error !== undefined && nowMs >= quietUntilMs) {
          quietUntilMs = nowMs + QUIET_MS;
          logger.warn(
            { error: result.error.message, spans: spans.length },
            'traces could not be sent: is the collector running?',
          );
        }
        callback(result);
      });
    },
    shutdown: async () => await exporter.shutdown(),
    forceFlush: async () => await exporter.forceFlush?.(),
  };
}

import { type Context, type Link, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import {
  type Clock,
  type DeliverySpan,
  errorMessage,
  type Logger,
  type PollSpan,
  type TracedChange,
  type Tracer,
} from '../shared/index.js';

/** Number of remembered changes. A delivery to a reader that is further behind refers to the newest ones only. */
const MAX_CHANGES = 256;
/** Maximum number of links of a delivery, besides its parent, the newest change. */
const MAX_LINKS = 31;
/** Time limit for one batch in milliseconds, including retries. The shutdown waits for the last batch. */
const EXPORT_TIMEOUT_MS = 2_000;
/** Minimum interval in milliseconds between warnings about failed exports. */
const WARNING_INTERVAL_MS = 60_000;

export interface OtlpTracerOptions {
  /** URL that spans are posted to. Usually ends in `/v1/traces`. */
  readonly url: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Poll {
  readonly startedAtMs: number;
  /** Created when the poll leads to a change or fails. Most polls do not, and would clutter the traces. */
  span: Span | null;
}

interface Change {
  readonly number: number;
  readonly serverId: string;
  readonly span: Span;
}

/**
 * Sends spans to an OpenTelemetry collector. Registers nothing globally. OpenTelemetry's environment variables configure
 * sampling, headers, service name and batch sizes.
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
        new BatchSpanProcessor(
          withLogging(new OTLPTraceExporter({ url: options.url, timeoutMillis: EXPORT_TIMEOUT_MS }), options),
        ),
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
        if (!answered) this.#pollSpan(serverId, poll).setStatus({ code: SpanStatusCode.ERROR });
        poll.span?.end(this.#clock.now());
      },
    };
  }

  recordChange({ serverId, agents, removedAgents, revision }: TracedChange): void {
    const poll = this.#polls.get(serverId);
    const span = this.#start('change', poll === undefined ? ROOT_CONTEXT : toContext(this.#pollSpan(serverId, poll)), {
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
    const changes = this.#changes.filter(({ number, serverId }) => number > since && serverIds.has(serverId));
    const newest = changes.at(-1);
    if (newest === undefined) return null;
    const conflated = changes.slice(0, -1);
    const links: Link[] = conflated.slice(-MAX_LINKS).map(({ span }) => ({ context: span.spanContext() }));
    const span = this.#start(
      'delivery',
      toContext(newest.span),
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

  /** Sends the remaining spans. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Failed exports are logged by the exporter.
    await this.#provider.shutdown().catch(() => undefined);
  }

  #pollSpan(serverId: string, poll: Poll): Span {
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

function toContext(span: Span): Context {
  return trace.setSpan(ROOT_CONTEXT, span);
}

/** Wraps an exporter to log failed exports, which OpenTelemetry does not report. */
function withLogging(exporter: SpanExporter, { clock, logger }: OtlpTracerOptions): SpanExporter {
  let nextWarningMs = -Infinity;
  return {
    export(spans, callback) {
      exporter.export(spans, (result) => {
        const nowMs = clock.monotonic();
        if (result.error !== undefined && nowMs >= nextWarningMs) {
          nextWarningMs = nowMs + WARNING_INTERVAL_MS;
          logger.warn(
            { error: errorMessage(result.error), spans: spans.length },
            'could not send traces, check the collector',
          );
        }
        callback(result);
      });
    },
    shutdown: async () => await exporter.shutdown(),
    forceFlush: async () => await exporter.forceFlush?.(),
  };
}

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { z } from 'zod';

const VALUE = z.looseObject({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
});
const ATTRIBUTES = z.array(z.object({ key: z.string(), value: VALUE }));
const SPAN = z.looseObject({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: ATTRIBUTES,
  links: z.array(z.looseObject({ spanId: z.string() })).default([]),
  status: z.looseObject({ code: z.number() }),
});
const REQUEST = z.object({
  resourceSpans: z.array(
    z.looseObject({
      resource: z.looseObject({ attributes: ATTRIBUTES }),
      scopeSpans: z.array(z.looseObject({ spans: z.array(SPAN) })),
    }),
  ),
});

export type ReceivedSpan = z.infer<typeof SPAN>;

/** OpenTelemetry collector that accepts spans as JSON over HTTP. */
export class SpanCollector implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  readonly services = new Set<string | undefined>();
  readonly paths = new Set<string | undefined>();
  readonly headers: Record<string, string | string[] | undefined>[] = [];
  /** HTTP status of all responses. */
  status = 200;
  url = '';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.paths.add(request.url);
        this.headers.push(request.headers);
        const { resourceSpans } = REQUEST.parse(JSON.parse(Buffer.concat(chunks).toString()));
        for (const { resource, scopeSpans } of resourceSpans) {
          this.services.add(resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue);
          this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
        }
        response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  static async start(): Promise<SpanCollector> {
    const collector = new SpanCollector();
    collector.#server.listen(0, '127.0.0.1');
    await once(collector.#server, 'listening');
    const { port } = collector.#server.address() as { port: number }; // the address of a TCP server is never a string
    collector.url = `http://127.0.0.1:${port}`;
    return collector;
  }

  named(name: string): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function attributeOf({ attributes }: ReceivedSpan, key: string): string | number | undefined {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  return value?.stringValue ?? (value?.intValue === undefined ? undefined : Number(value.intValue));
}

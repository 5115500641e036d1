import { describe, expect, test } from 'vitest';
import { createTracer, silentLogger } from '../../src/telemetry/index.js';
import { recordingLogger } from '../mcp/support.js';
import { ManualClock } from '../support/manual-clock.js';
import { attributeOf, SpanCollector } from '../support/span-collector.js';

const CHANGE = { agents: 2, removedAgents: 0, revision: 1 };

describe('OtlpTracer', () => {
  test('connects poll, change and delivery, with the times of the clock', async () => {
    await using collector = await SpanCollector.start();
    const clock = new ManualClock();
    const tracer = await createTracer({ url: `${collector.url}/v1/traces`, clock, logger: silentLogger });
    const poll = tracer.startPoll('flow');
    clock.advance(5);
    const before = tracer.position;
    tracer.recordChange({ serverId: 'flow', ...CHANGE });
    poll.end(true);
    clock.advance(10);
    const delivery = tracer.startDelivery(new Set(['flow']), before);
    clock.advance(3);
    delivery?.end(40);
    await tracer[Symbol.asyncDispose]();
    const [polled, changed, delivered] = ['poll', 'change', 'delivery'].flatMap((name) => collector.named(name));
    expect(collector.spans).toHaveLength(3);
    expect(changed?.parentSpanId).toBe(polled?.spanId);
    expect(delivered?.parentSpanId).toBe(changed?.spanId);
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
    const ms = (ns = '0'): number => Number(BigInt(ns) / 1_000n) / 1_000;
    const startMs = ms(polled?.startTimeUnixNano);
    expect(Math.round(ms(changed?.startTimeUnixNano) - startMs)).toBe(5);
    expect(Math.round(ms(delivered?.startTimeUnixNano) - startMs)).toBe(15);
    expect(Math.round(ms(delivered?.endTimeUnixNano) - startMs)).toBe(18);
    expect(delivered && attributeOf(delivered, 'swarmlens.readers')).toBe(40);
    expect([...collector.services]).toEqual(['swarmlens']);
  });

  test('creates spans for failed polls, and none for polls without changes', async () => {
    await using collector = await SpanCollector.start();
    const tracer = await createTracer({ url: collector.url, clock: new ManualClock(), logger: silentLogger });
    for (const answered of [true, true, false]) tracer.startPoll('flow').end(answered);
    await tracer[Symbol.asyncDispose]();
    expect(collector.spans).toMatchObject([{ name: 'poll', status: { code: 2 } }]);
  });

  test('links a conflated delivery to all changes of its servers', async () => {
    await using collector = await SpanCollector.start();
    const tracer = await createTracer({ url: collector.url, clock: new ManualClock(), logger: silentLogger });
    tracer.recordChange({ serverId: 'flow', ...CHANGE, revision: 1 });
    const since = tracer.position;
    for (let revision = 2; revision <= 50; revision += 1)
      tracer.recordChange({ serverId: 'flow', ...CHANGE, revision });
    tracer.recordChange({ serverId: 'other', ...CHANGE, revision: 51 });
    tracer.startDelivery(new Set(['flow']), since)?.end(1);
    expect(tracer.startDelivery(new Set(['unknown']), since)).toBe(null);
    expect(tracer.startDelivery(new Set(['flow']), tracer.position)).toBe(null);
    await tracer[Symbol.asyncDispose]();
    const [delivery] = collector.named('delivery');
    const revisionOf = new Map(
      collector.named('change').map((span) => [span.spanId, attributeOf(span, 'swarmlens.revision')]),
    );
    expect(revisionOf.get(delivery?.parentSpanId ?? '')).toBe(50);
    expect(delivery && attributeOf(delivery, 'swarmlens.changes.conflated')).toBe(48);
    const linked = delivery?.links.map(({ spanId }) => revisionOf.get(spanId)) ?? [];
    expect([linked.length, linked[0], linked.at(-1)]).toEqual([31, 19, 49]);
  });

  test('drops spans that cannot be sent, and logs a warning once per minute', async () => {
    await using collector = await SpanCollector.start();
    collector.status = 400;
    const { logger, lines } = recordingLogger();
    const tracer = await createTracer({ url: collector.url, clock: new ManualClock(), logger });
    tracer.startPoll('flow').end(false);
    await tracer[Symbol.asyncDispose]();
    expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('could not send traces') }]);
  });
});

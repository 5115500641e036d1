import { describe, expect, test } from 'vitest';
import { DeliveryInstrumentation } from '../../src/delivery/instrumentation.js';
import { createView, type ViewChanges } from '../../src/state/index.js';
import { agentWith } from '../state/fixed-state.js';

const VIEW = createView();

const CHANGES: ViewChanges = {
  kind: 'DELTA',
  position: { revision: 2, view: VIEW },
  agents: [{ agent: agentWith('a'), patch: () => ({}) }],
  removedAgentIds: ['y:b', 'z:c:d'],
  topologyChanges: null,
  tasks: [],
  removedTaskIds: [],
  staleServerIds: [],
  isEmpty: false,
};

/** Metrics and tracer that keep what they receive. */
class Records {
  readonly deliveries: (readonly [readers: number, latencyMs: number | null])[] = [];
  readonly skipped: unknown[] = [];
  readonly spans: { readonly serverIds: ReadonlySet<string>; readonly since: number }[] = [];
  readonly ended: number[] = [];
  nowMs = 1_000;
  position = 5;
  readonly #metrics = {
    recordDelivery: (readers: number, latencyMs: number | null) => this.deliveries.push([readers, latencyMs]),
    recordSkippedTicks: (cause: string, ticks: number) => this.skipped.push([cause, ticks]),
  };

  instrumentation(): DeliveryInstrumentation {
    const position = (): number => this.position;
    const tracer = {
      get position() {
        return position();
      },
      startDelivery: (serverIds: ReadonlySet<string>, since: number) => {
        this.spans.push({ serverIds, since });
        return { end: (readers: number) => void this.ended.push(readers) };
      },
    };
    return new DeliveryInstrumentation(this.#metrics, tracer, () => this.nowMs);
  }
}

describe('DeliveryInstrumentation', () => {
  test('records the delay since the due time, which is never negative, and none without a tick', () => {
    const records = new Records();
    const instrumentation = records.instrumentation();
    for (const dueMs of [990, 1_010, null]) instrumentation.startUpdate(null, CHANGES, dueMs).end(3);
    instrumentation.startUpdate(null, CHANGES, 990).end(0);
    expect(records.deliveries).toEqual([
      [3, 10],
      [3, 0],
      [3, null],
    ]);
    instrumentation.recordSkip();
    expect(records.skipped).toEqual([['slow_reader', 1]]);
  });

  test('traces what changed since the first reader reached a position', () => {
    const records = new Records();
    const instrumentation = records.instrumentation();
    const from = { revision: 1, view: VIEW };
    instrumentation.recordPosition(from);
    records.position = 9;
    instrumentation.recordPosition(from);
    instrumentation.startUpdate(from, CHANGES, null).end(2);
    expect(records.spans).toEqual([{ serverIds: new Set(['x', 'y', 'z']), since: 5 }]);
    expect(records.ended).toEqual([2]);
  });

  test('traces neither a snapshot nor an unknown position', () => {
    const records = new Records();
    const instrumentation = records.instrumentation();
    instrumentation.startUpdate(null, CHANGES, null).end(1);
    instrumentation.startUpdate({ revision: 1, view: VIEW }, CHANGES, null).end(1);
    expect(records.spans).toEqual([]);
  });

  test('works without metrics and tracer', () => {
    const instrumentation = new DeliveryInstrumentation(null, null, () => 0);
    instrumentation.recordSkip();
    instrumentation.recordPosition(CHANGES.position);
    expect(() => instrumentation.startUpdate(CHANGES.position, CHANGES, 0).end(1)).not.toThrow();
  });
});

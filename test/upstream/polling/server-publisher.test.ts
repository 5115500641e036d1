import { expect, test } from 'vitest';
import { MemoryBus } from '../../../src/cluster/index.js';
import type { ReportedMessage, ServerReport } from '../../../src/model/index.js';
import { Store } from '../../../src/state/index.js';
import { silentLogger } from '../../../src/telemetry/index.js';
import { ServerPublisher } from '../../../src/upstream/polling/server-publisher.js';
import type { ReplicaPool } from '../../../src/upstream/pool/replica-pool.js';
import { serverOf } from '../../support/arbitraries.js';
import { ManualClock } from '../../support/manual-clock.js';

const EMPTY: ServerReport = { agents: [], swarms: [], edges: [], failures: [] };

function message(nativeId: string, sentAtMs: number): ReportedMessage {
  const sentAt = new Date(sentAtMs).toISOString();
  const ends = { swarmNativeId: null, fromNativeId: 'a', toNativeIds: ['b'] };
  return { nativeId, serverType: 'CLAUDE_CODE', ...ends, sentAt, text: null };
}

function createPublisher(store: Store, bus: MemoryBus, clock: ManualClock): ServerPublisher {
  // All that a publisher of a connected server reads.
  const pool = { replicas: [], isAvailable: true, failureReason: null, primary: null, hasEnded: false };
  const deps = { store, bus, clock, logger: silentLogger, removeAfterMs: null, maxAgentsPerServer: 10 };
  const loopShare = { measure: <T>(work: () => T): T => work() };
  return new ServerPublisher(
    serverOf('x'),
    pool as Partial<ReplicaPool> as ReplicaPool,
    deps,
    loopShare,
    () => undefined,
  );
}

test('ServerPublisher publishes each reported message once, also after another publisher takes over', async () => {
  const store = new Store({ epoch: 'e', maxTombstones: 1, maxEvents: 10 });
  const bus = new MemoryBus();
  using _commits = bus.subscribe((delta) => store.commit(delta));
  const clock = new ManualClock();
  const ids = (): readonly string[] => store.messages.since(0).events.map(({ id }) => id);
  const start = clock.now();
  {
    using publisher = createPublisher(store, bus, clock);
    await publisher.publishReport({ ...EMPTY, messages: [message('old', start - 5_000)] }, []);
    expect(ids()).toEqual([]);
    const listed = [message('old', start - 5_000), message('one', start)];
    await publisher.publishReport({ ...EMPTY, messages: listed }, []);
    await publisher.publishReport({ ...EMPTY, messages: [...listed, message('two', start)] }, []);
    expect(ids()).toEqual(['x:one', 'x:two']);
  }
  using successor = createPublisher(store, bus, clock);
  const listed = [message('one', start), message('two', start), message('three', start + 1_000)];
  await successor.publishReport({ ...EMPTY, messages: listed }, []);
  expect(ids()).toEqual(['x:one', 'x:two', 'x:three']);
});

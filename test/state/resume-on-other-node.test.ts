import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesSince, createView, type ServerSnapshot, Store, RevisionTimeline } from '../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf, anyViewOptions } from '../support/arbitraries.js';
import { expectCurrentState, Reader } from '../support/contract-client.js';
import { runs } from '../support/fuzz-inputs.js';

/** Published deltas, each with its own time. */
type Published = readonly { readonly node: Node; readonly snapshot: ServerSnapshot; readonly atMs: number }[];

/** Node that owns one server, which other nodes follow. */
class Node {
  readonly timeline = new RevisionTimeline();
  readonly store: Store;
  #unpublished: ServerSnapshot | null = null;
  #read = 0;

  constructor(epoch: string, maxTombstones: number) {
    this.store = new Store({ epoch, maxTombstones, maxEvents: 1, timeline: this.timeline });
  }

  show(snapshot: ServerSnapshot): void {
    this.store.commit(this.store.diff(snapshot, EPOCH_TIME));
    this.#unpublished = snapshot;
  }

  /** Reads the snapshot. Items that came and went meanwhile are skipped. */
  publish(log: Published): Published {
    const atMs = (log.length + 1) * 100;
    const snapshot = this.#unpublished;
    if (snapshot === null) return log;
    this.#unpublished = null;
    this.timeline.markPublished({ serverId: snapshot.server.id, revision: this.store.revision, atMs });
    return [...log, { node: this, snapshot, atMs }];
  }

  /** Reads further messages. Everything up to the last one is then included. */
  follow(log: Published, count: number): void {
    for (const { node, snapshot, atMs } of log.slice(this.#read, this.#read + count)) {
      if (node !== this) this.store.commit({ ...this.store.diff(snapshot, EPOCH_TIME), publishedAtMs: atMs });
      this.#read += 1;
      this.timeline.markComplete(atMs);
    }
  }
}

const node = fc.constantFrom(0, 1);
const shown = fc.tuple(node, serverSnapshotOf('a'), serverSnapshotOf('b'));

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: shown.map((publish) => ({ publish })) },
    { weight: 1, arbitrary: shown.map((show) => ({ show })) },
    { weight: 4, arbitrary: fc.tuple(node, fc.nat(4)).map((follow) => ({ follow })) },
    { weight: 1, arbitrary: node.map((interrupt) => ({ interrupt })) },
    { weight: 6, arbitrary: fc.tuple(node, fc.option(anyViewOptions, { freq: 1 })).map((read) => ({ read })) },
  ),
  { minLength: 10, maxLength: 60 },
);

test.each([100, 1])(
  'for any history: a reader that moves between nodes has the state of the node that it reads from (%i tombstones)',
  (maxTombstones) => {
    let resumed = 0;
    fc.assert(
      fc.property(steps, (history) => {
        const nodes = [new Node('one', maxTombstones), new Node('two', maxTombstones)] as const;
        const nodeOf = (index: number): Node => (index === 0 ? nodes[0] : nodes[1]);
        let log: Published = [];
        let view = createView();
        let cursor: string | null = null;
        const reader = new Reader();
        const read = ({ store }: Node): void => {
          reader.position = cursor === null ? null : store.resolveCursor(cursor, view);
          if (reader.position?.resumedFrom === 'OTHER_NODE') resumed += 1;
          const { position } = reader.read(store, view);
          cursor = store.createCursor(position);
          expectCurrentState(reader, store, view);
        };
        for (const step of history) {
          if ('publish' in step || 'show' in step) {
            const [index, first, second] = 'publish' in step ? step.publish : step.show;
            nodeOf(index).show(index === 0 ? first : second);
            if ('publish' in step) log = nodeOf(index).publish(log);
          } else if ('follow' in step) nodeOf(step.follow[0]).follow(log, step.follow[1]);
          else if ('interrupt' in step) nodeOf(step.interrupt).timeline.markGap(() => true);
          else {
            const [index, options] = step.read;
            if (options !== null) view = createView(options);
            read(nodeOf(index));
          }
        }
        for (const node of nodes) log = node.publish(log);
        for (const node of nodes) node.follow(log, log.length);
        for (const node of nodes) read(node);
      }),
      runs(200),
    );
    // Ensures that the generated histories cover resumed readers.
    expect(resumed).toBeGreaterThan(runs(200).numRuns / 5);
  },
);

function sampleSnapshot(): ServerSnapshot {
  const [snapshot] = fc.sample(
    serverSnapshotOf('a').filter(({ agents }) => agents.length >= 3),
    1,
  );
  if (snapshot === undefined) throw new Error('no sample');
  return snapshot;
}

test('another node sends only later changes and possible removals to a resumed reader', () => {
  const [first, second] = [new Node('one', 10), new Node('two', 10)];
  const snapshot = sampleSnapshot();
  const [agent, ...others] = snapshot.agents;
  const view = createView();
  let log: Published = [];
  first.show(snapshot);
  log = first.publish(log);
  first.follow(log, 1);
  second.follow(log, 1);
  const cursor = first.store.createCursor(changesSince(first.store, null, view).position);
  first.show({ ...snapshot, agents: others, edges: [] });
  log = first.publish(log);
  second.follow(log, 1);
  const position = second.store.resolveCursor(cursor, view);
  expect(position).toMatchObject({ resumedFrom: 'OTHER_NODE' });
  expect(changesSince(second.store, position, view)).toMatchObject({
    kind: 'DELTA',
    agents: [],
    removedAgentIds: [agent?.id],
  });
});

test('another node sends a snapshot when the reader received unpublished changes', () => {
  const [first, second] = [new Node('one', 10), new Node('two', 10)];
  const snapshot = sampleSnapshot();
  let log: Published = [];
  first.show(snapshot);
  log = first.publish(log);
  for (const node of [first, second]) node.follow(log, 1);
  first.show({ ...snapshot, agents: [], edges: [] });
  const { position } = changesSince(first.store, null, createView());
  const cursor = first.store.createCursor(position);
  expect(second.store.resolveCursor(cursor, position.view)).toBeNull();
  expect(first.store.resolveCursor(cursor, position.view)).toEqual({ ...position, resumedFrom: 'THIS_NODE' });
});

test('a node sends a snapshot to a reader that received later changes than the node has', () => {
  const [first, second] = [new Node('one', 10), new Node('two', 10)];
  const snapshot = sampleSnapshot();
  let log: Published = [];
  for (const shown of [snapshot, { ...snapshot, agents: [], edges: [] }]) {
    first.show(shown);
    log = first.publish(log);
  }
  first.follow(log, 2);
  second.follow(log, 1);
  const cursor = first.store.createCursor(changesSince(first.store, null, createView()).position);
  expect(second.store.resolveCursor(cursor, createView())).toBeNull();
  second.follow(log, 1);
  expect(second.store.resolveCursor(cursor, createView())).not.toBeNull();
});

test('RevisionTimeline stays small, however long Redis is available or not', () => {
  const timeline = new RevisionTimeline();
  timeline.markComplete(0);
  for (let revision = 1; revision <= 20_000; revision += 1)
    timeline.recordRevision(revision, { serverId: 'a', publishedAtMs: null });
  timeline.markPublished({ serverId: 'a', revision: 20_000, atMs: 1_000 });
  for (let revision = 20_001; revision <= 40_000; revision += 1)
    timeline.recordRevision(revision, { serverId: 'b', publishedAtMs: revision * 100 });
  timeline.markComplete(40_000 * 100);
  const span = (atMs: number): { completeUntilMs: number; newestMs: number } => ({
    completeUntilMs: atMs,
    newestMs: atMs,
  });
  expect(timeline.revisionAt(span(20_500 * 100), 40_000)).toBeNull();
  expect(timeline.revisionAt(span(39_000 * 100), 40_000)).toBe(39_000);
  expect(timeline.revisionAt(span(40_000 * 100), 40_000)).toBe(40_000);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesSince, createView, type ServerPicture, Store, Timeline } from '../../src/state/index.js';
import { EPOCH_TIME, pictureOf, viewOptions } from '../support/arbitraries.js';
import { expectedAgents, expectedEdges, Reader, withoutNulls } from '../support/reader.js';
import { runs } from '../support/hostile.js';

/** What nodes publish, each with a time of its own. */
type Published = readonly { readonly node: Node; readonly picture: ServerPicture; readonly atMs: number }[];

/** A node that watches one server, which others follow. */
class Node {
  readonly timeline = new Timeline();
  readonly store: Store;
  #unpublished: ServerPicture | null = null;
  #read = 0;

  constructor(epoch: string, maxTombstones: number) {
    this.store = new Store({ epoch, maxTombstones, maxEvents: 1, timeline: this.timeline });
  }

  show(picture: ServerPicture): void {
    this.store.commit(this.store.diff(picture, EPOCH_TIME));
    this.#unpublished = picture;
  }

  /** What came and went meanwhile is not told. */
  publish(log: Published): Published {
    const atMs = (log.length + 1) * 100;
    const picture = this.#unpublished;
    if (picture === null) return log;
    this.#unpublished = null;
    this.timeline.published({ serverId: picture.server.id, revision: this.store.revision, atMs });
    return [...log, { node: this, picture, atMs }];
  }

  /** Reads on, and knows then that it has everything until there. */
  follow(log: Published, count: number): void {
    for (const { node, picture, atMs } of log.slice(this.#read, this.#read + count)) {
      if (node !== this) this.store.commit({ ...this.store.diff(picture, EPOCH_TIME), atMs });
      this.#read += 1;
      this.timeline.complete(atMs);
    }
  }
}

const node = fc.constantFrom(0, 1);
const shown = fc.tuple(node, pictureOf('a'), pictureOf('b'));

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: shown.map((tell) => ({ tell })) },
    { weight: 1, arbitrary: shown.map((show) => ({ show })) },
    { weight: 4, arbitrary: fc.tuple(node, fc.nat(4)).map((follow) => ({ follow })) },
    { weight: 1, arbitrary: node.map((interrupt) => ({ interrupt })) },
    { weight: 6, arbitrary: fc.tuple(node, fc.option(viewOptions, { freq: 1 })).map((read) => ({ read })) },
  ),
  { minLength: 10, maxLength: 60 },
);

test.each([100, 1])(
  'a reader that goes from node to node has the picture of the one it reads, with room for %i removals',
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
          reader.position = cursor === null ? null : store.positionOf(cursor);
          if (reader.position?.isElsewhere === true) resumed += 1;
          const { position } = reader.read(store, view);
          cursor = store.cursorOf(position);
          expect(reader.agents).toEqual(expectedAgents(store, view));
          const patched = new Map([...reader.patched].map(([id, agent]) => [id, withoutNulls(agent)]));
          const expected = [...expectedAgents(store, view)].map(([id, agent]) => [id, withoutNulls(agent)] as const);
          expect(patched).toEqual(new Map(expected));
          expect(reader.edges).toEqual(expectedEdges(store, view));
        };
        for (const step of history) {
          if ('tell' in step || 'show' in step) {
            const [index, first, second] = 'tell' in step ? step.tell : step.show;
            nodeOf(index).show(index === 0 ? first : second);
            if ('tell' in step) log = nodeOf(index).publish(log);
          } else if ('follow' in step) nodeOf(step.follow[0]).follow(log, step.follow[1]);
          else if ('interrupt' in step) nodeOf(step.interrupt).timeline.interrupted(() => true);
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
    // Otherwise the histories have missed their aim.
    expect(resumed).toBeGreaterThan(40);
  },
);

function samplePicture(): ServerPicture {
  const [picture] = fc.sample(
    pictureOf('a').filter(({ agents }) => agents.length >= 3),
    1,
  );
  if (picture === undefined) throw new Error('no sample');
  return picture;
}

test('a reader is told by another node only what changed since, and what may be gone', () => {
  const [first, second] = [new Node('one', 10), new Node('two', 10)];
  const picture = samplePicture();
  const [agent, ...others] = picture.agents;
  const view = createView();
  let log: Published = [];
  first.show(picture);
  log = first.publish(log);
  first.follow(log, 1);
  second.follow(log, 1);
  const cursor = first.store.cursorOf(changesSince(first.store, null, view).position);
  first.show({ ...picture, agents: others, edges: [] });
  log = first.publish(log);
  second.follow(log, 1);
  const position = second.store.positionOf(cursor);
  expect(position).toMatchObject({ isElsewhere: true });
  expect(changesSince(second.store, position, view)).toMatchObject({
    kind: 'DELTA',
    agents: [],
    removedAgentIds: [agent?.id],
  });
});

test('a reader whose node had told it what nobody else knew yet gets a snapshot elsewhere', () => {
  const [first, second] = [new Node('one', 10), new Node('two', 10)];
  const picture = samplePicture();
  let log: Published = [];
  first.show(picture);
  log = first.publish(log);
  for (const node of [first, second]) node.follow(log, 1);
  first.show({ ...picture, agents: [], edges: [] });
  const { position } = changesSince(first.store, null, createView());
  expect(second.store.positionOf(first.store.cursorOf(position))).toBeNull();
  expect(first.store.positionOf(first.store.cursorOf(position))).toEqual(position);
});

test('a reader that was told more than this node knows gets a snapshot', () => {
  const [first, second] = [new Node('one', 10), new Node('two', 10)];
  const picture = samplePicture();
  let log: Published = [];
  for (const shown of [picture, { ...picture, agents: [], edges: [] }]) {
    first.show(shown);
    log = first.publish(log);
  }
  first.follow(log, 2);
  second.follow(log, 1);
  const cursor = first.store.cursorOf(changesSince(first.store, null, createView()).position);
  expect(second.store.positionOf(cursor)).toBeNull();
  second.follow(log, 1);
  expect(second.store.positionOf(cursor)).not.toBeNull();
});

test('a timeline stays small, however long Redis is away or there', () => {
  const timeline = new Timeline();
  timeline.complete(0);
  for (let revision = 1; revision <= 20_000; revision += 1) timeline.noted(revision, { serverId: 'a', atMs: null });
  timeline.published({ serverId: 'a', revision: 20_000, atMs: 1_000 });
  for (let revision = 20_001; revision <= 40_000; revision += 1)
    timeline.noted(revision, { serverId: 'b', atMs: revision * 100 });
  timeline.complete(40_000 * 100);
  const span = (atMs: number): { fromMs: number; toMs: number } => ({ fromMs: atMs, toMs: atMs });
  expect(timeline.revisionAt(span(20_500 * 100), 40_000)).toBeNull();
  expect(timeline.revisionAt(span(39_000 * 100), 40_000)).toBe(39_000);
  expect(timeline.revisionAt(span(40_000 * 100), 40_000)).toBe(40_000);
});

import fc from 'fast-check';
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { ANONYMOUS_VIEWER } from '../../src/auth/index.js';
import { type ServerSnapshot, toStaleSnapshot } from '../../src/state/index.js';
import { AccessSetup, FakeUpstreams, type SubscriptionReader } from '../access/access-setup.js';
import { EPOCH_TIME, serverOf, serverSnapshotOf } from '../support/arbitraries.js';
import { runs } from '../support/fuzz-inputs.js';
import { settled } from '../support/manual-clock.js';

const FIELDS =
  'id nativeId serverId serverType swarmId title status agentIds dependsOnIds createdAt startedAt endedAt stale';
const FILTERS = ['', 'swarmIds: ["x:s1"]', 'agentIds: ["x:a", "y:b"]', 'serverTypes: [RUV_SWARM, DAA]'];

interface TaskUpdate {
  readonly kind: 'SNAPSHOT' | 'DELTA';
  readonly cursor: string;
  readonly tasks: readonly { readonly id: string }[];
  readonly removedTaskIds: readonly string[];
  readonly staleServerIds: readonly string[];
}

/** Client of `taskUpdates` that loses its connection and resumes with a cursor of its own choice. */
class Client {
  readonly #setup: AccessSetup;
  readonly #tasks = new Map<string, TaskUpdate['tasks'][number]>();
  #cursors: string[] = [];
  #staleServerIds: readonly string[] = [];
  #stream: SubscriptionReader | null = null;
  #applied = 0;
  #filter = '';

  constructor(setup: AccessSetup) {
    this.#setup = setup;
  }

  /** @param choice which of the cursors since the last change of filters the client resumes with */
  async connect(choice: number, filter: string): Promise<void> {
    await this.cut();
    const last = this.#cursors.at(-1);
    // A client that changes its filters resumes with its last cursor.
    if (filter !== this.#filter) this.#cursors = last === undefined ? [] : [last];
    this.#filter = filter;
    const cursor = this.#cursors[choice % Math.max(1, this.#cursors.length)];
    const args = [filter, cursor === undefined ? '' : `after: "${cursor}"`].filter((part) => part !== '').join(', ');
    const text = `subscription { taskUpdates${args === '' ? '' : `(${args})`} {
      kind cursor tasks { ${FIELDS} } removedTaskIds staleServerIds } }`;
    this.#stream = await this.#setup.listen(text, ANONYMOUS_VIEWER);
    this.#applied = 0;
    await settled();
  }

  async cut(): Promise<void> {
    this.#apply();
    await this.#stream?.close();
    this.#stream = null;
  }

  /** Compares the tasks of the client with those of a query. */
  async expectCurrent(servers: ReadonlyMap<string, boolean>): Promise<void> {
    if (this.#stream === null) return;
    this.#apply();
    const args = this.#filter === '' ? '' : `(${this.#filter})`;
    const { data } = await this.#setup.run(parse(`{ tasks${args} { ${FIELDS} } }`), ANONYMOUS_VIEWER);
    const expected = data?.['tasks'] as TaskUpdate['tasks']; // typed by the schema
    expect(this.#tasks).toEqual(new Map(expected.map((task) => [task.id, task])));
    if (this.#filter !== '') return;
    const stale = [...servers].flatMap(([id, isStale]) => (isStale ? [id] : []));
    expect([...this.#staleServerIds].sort()).toEqual(stale.sort());
  }

  #apply(): void {
    const updates = (this.#stream?.received ?? []) as unknown as readonly TaskUpdate[]; // selected in `connect`
    for (const { kind, cursor, tasks, removedTaskIds, staleServerIds } of updates.slice(this.#applied)) {
      if (kind === 'SNAPSHOT') this.#tasks.clear();
      for (const task of tasks) this.#tasks.set(task.id, task);
      for (const id of removedTaskIds) this.#tasks.delete(id);
      this.#cursors.push(cursor);
      this.#staleServerIds = staleServerIds;
    }
    this.#applied = updates.length;
  }
}

type Step =
  | { readonly show: ServerSnapshot }
  | { readonly fail: string }
  | { readonly remove: string }
  | { readonly connect: readonly [choice: number, filter: string] }
  | 'cut'
  | 'tick';

const serverId = fc.constantFrom('x', 'y');
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: serverId.chain(serverSnapshotOf).map((show) => ({ show })) },
  { weight: 1, arbitrary: serverId.map((fail) => ({ fail })) },
  { weight: 1, arbitrary: serverId.map((remove) => ({ remove })) },
  { weight: 3, arbitrary: fc.tuple(fc.nat(9), fc.constantFrom(...FILTERS)).map((connect) => ({ connect })) },
  { weight: 2, arbitrary: fc.nat(9).map((choice) => ({ connect: [choice, ''] as const })) },
  { weight: 1, arbitrary: fc.constant('cut' as const) },
  { weight: 3, arbitrary: fc.constant('tick' as const) },
);

test('for any history: a client that is cut at any time and resumes with any earlier cursor has the tasks of a query', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 30 }), async (history) => {
      using setup = new AccessSetup(new FakeUpstreams([]));
      const { store, clock } = setup;
      const client = new Client(setup);
      const last = new Map<string, ServerSnapshot>();
      const commit = (snapshot: ServerSnapshot): void => {
        last.set(snapshot.server.id, snapshot);
        store.commit(store.diff(snapshot, EPOCH_TIME));
      };
      for (const step of history) {
        if (step === 'cut') await client.cut();
        else if (step === 'tick') await clock.pass(200, 100);
        else if ('show' in step) commit(step.show);
        else if ('connect' in step) await client.connect(...step.connect);
        else if ('fail' in step) {
          const snapshot = last.get(step.fail);
          if (snapshot !== undefined) commit(toStaleSnapshot(snapshot, serverOf(step.fail, true), EPOCH_TIME));
        } else {
          last.delete(step.remove);
          store.commit(store.removalDelta(step.remove));
        }
        if (step === 'tick')
          await client.expectCurrent(new Map([...last].map(([id, { server }]) => [id, server.stale])));
      }
      await client.connect(0, '');
      await client.expectCurrent(new Map([...last].map(([id, { server }]) => [id, server.stale])));
      await client.cut();
    }),
    runs(60),
  );
});

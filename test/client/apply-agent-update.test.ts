import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Agent, applyAgentUpdate, type AgentUpdateInput } from '@swarmlens/client';
import { type ViewChanges, changesSince, createView, type CursorPosition, Store } from '../../src/state/index.js';
import { agentOf, EPOCH_TIME, serverSnapshotOf, viewOptions } from '../support/arbitraries.js';
import { expectedAgents } from '../support/contract-client.js';

/** Parts of an update that different selections of an operation receive for the same changes. */
const SELECTIONS: Readonly<
  Record<string, (changes: ViewChanges, agents: readonly Agent[]) => Partial<AgentUpdateInput>>
> = {
  'whole agents': (_changes, agents) => ({ agents }),
  'whole agents and patches': (changes, agents) => ({ agents, patches: patchesOf(changes) }),
  'patches after a snapshot': (changes, agents) =>
    changes.kind === 'SNAPSHOT' ? { agents } : { patches: patchesOf(changes) },
};

function patchesOf({ kind, agents }: ViewChanges): NonNullable<AgentUpdateInput['patches']> {
  return kind === 'SNAPSHOT' ? [] : agents.map(({ agent, patch }) => ({ id: agent.id, patch: patch() }));
}

const history = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: serverSnapshotOf('x').map((snapshot) => ({ show: snapshot })) },
    { weight: 1, arbitrary: fc.constant({ remove: 'x' }) },
    { weight: 2, arbitrary: viewOptions.map((options) => ({ view: options })) },
  ),
  { maxLength: 20 },
);

describe('applyAgentUpdate', () => {
  test.each(Object.entries(SELECTIONS))(
    'for any history and filters: %s produce the agents of a query',
    (_name, select) => {
      fc.assert(
        fc.property(history, (steps) => {
          const store = new Store({ epoch: 'e', maxTombstones: 5, maxEvents: 1 });
          let view = createView();
          let position: CursorPosition | null = null;
          let agents: ReadonlyMap<string, Agent> = new Map();
          for (const step of steps) {
            if ('show' in step) store.commit(store.diff(step.show, EPOCH_TIME));
            else if ('remove' in step) store.commit(store.removalDelta(step.remove));
            else view = createView(step.view);
            const expected = expectedAgents(store, view);
            const changes = changesSince(store, position, view);
            position = changes.position;
            const whole = changes.agents.flatMap(({ agent }) => expected.get(agent.id) ?? []);
            const { kind, removedAgentIds } = changes;
            const update = { kind, removedAgentIds, ...select(changes, whole) };
            agents = applyAgentUpdate(agents, structuredClone(update));
            expect(agents).toEqual(expected);
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  const agent = agentOf('x', 'a');
  const other = agentOf('x', 'b');

  test('replaces all agents with a snapshot', () => {
    fc.assert(
      fc.property(agent, other, (before, after) => {
        const previous = new Map([[before.id, before]]);
        const next = applyAgentUpdate(previous, { kind: 'SNAPSHOT', agents: [after], removedAgentIds: [] });
        expect([...next.keys()]).toEqual([after.id]);
      }),
    );
  });

  test('does not modify the previous agents and keeps the identity of unchanged ones', () => {
    fc.assert(
      fc.property(agent, other, (changed, kept) => {
        const before = new Map([changed, kept].map((entry) => [entry.id, entry]));
        const copy = structuredClone(before);
        const patches = [{ id: changed.id, patch: { name: 'renamed' } }];
        const next = applyAgentUpdate(before, { kind: 'DELTA', patches, removedAgentIds: [] });
        expect(before).toEqual(copy);
        expect(next.get(changed.id)).toEqual({ ...changed, name: 'renamed' });
        expect(next.get(kept.id)).toBe(kept);
      }),
    );
  });

  test('returns the previous map when an update changes nothing', () => {
    const previous = new Map<string, Agent>();
    expect(applyAgentUpdate(previous, { kind: 'DELTA', agents: [], removedAgentIds: [] })).toBe(previous);
    expect(applyAgentUpdate(previous, { kind: 'DELTA', patches: [], removedAgentIds: [] })).toBe(previous);
  });

  test('throws for a snapshot without agents', () => {
    expect(() => applyAgentUpdate(new Map(), { kind: 'SNAPSHOT', patches: [], removedAgentIds: [] })).toThrow(
      TypeError,
    );
  });
});

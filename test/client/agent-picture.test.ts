import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Agent, applyAgentUpdate, type AgentUpdateInput } from '@swarmlens/client';
import { type ViewChanges, changesSince, createView, type CursorPosition, Store } from '../../src/state/index.js';
import { agentOf, EPOCH_TIME, pictureOf, viewOptions } from '../support/arbitraries.js';
import { expectedAgents } from '../support/contract-client.js';

/** What the selections of an operation make of the same changes. */
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
    { weight: 3, arbitrary: pictureOf('x').map((picture) => ({ show: picture })) },
    { weight: 1, arbitrary: fc.constant({ remove: 'x' }) },
    { weight: 2, arbitrary: viewOptions.map((options) => ({ view: options })) },
  ),
  { maxLength: 20 },
);

describe('applyAgentUpdate', () => {
  test.each(Object.entries(SELECTIONS))('any history, any filters: %s give what a query gives', (_name, select) => {
    fc.assert(
      fc.property(history, (steps) => {
        const store = new Store({ epoch: 'e', maxTombstones: 5, maxEvents: 1 });
        let view = createView();
        let position: CursorPosition | null = null;
        let picture: ReadonlyMap<string, Agent> = new Map();
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
          picture = applyAgentUpdate(picture, structuredClone(update));
          expect(picture).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
  });

  const agent = agentOf('x', 'a');
  const other = agentOf('x', 'b');

  test('a snapshot replaces whatever was there', () => {
    fc.assert(
      fc.property(agent, other, (before, after) => {
        const picture = new Map([[before.id, before]]);
        const next = applyAgentUpdate(picture, { kind: 'SNAPSHOT', agents: [after], removedAgentIds: [] });
        expect([...next.keys()]).toEqual([after.id]);
      }),
    );
  });

  test('the picture before is left as it was, and agents that did not change are the same objects', () => {
    fc.assert(
      fc.property(agent, other, (changed, kept) => {
        const before = new Map([changed, kept].map((one) => [one.id, one]));
        const copy = structuredClone(before);
        const patches = [{ id: changed.id, patch: { name: 'renamed' } }];
        const next = applyAgentUpdate(before, { kind: 'DELTA', patches, removedAgentIds: [] });
        expect(before).toEqual(copy);
        expect(next.get(changed.id)).toEqual({ ...changed, name: 'renamed' });
        expect(next.get(kept.id)).toBe(kept);
      }),
    );
  });

  test('an update that changes nothing gives the same picture', () => {
    const picture = new Map<string, Agent>();
    expect(applyAgentUpdate(picture, { kind: 'DELTA', agents: [], removedAgentIds: [] })).toBe(picture);
    expect(applyAgentUpdate(picture, { kind: 'DELTA', patches: [], removedAgentIds: [] })).toBe(picture);
  });

  test('a snapshot for which only patches are selected is refused', () => {
    expect(() => applyAgentUpdate(new Map(), { kind: 'SNAPSHOT', patches: [], removedAgentIds: [] })).toThrow(
      TypeError,
    );
  });
});

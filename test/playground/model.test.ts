import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphModel } from '../../playground/graph/model.js';
import { agentOf, byId, workOf } from './agents.js';
import { runs } from '../support/hostile.js';

interface Edge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly inferred: boolean;
}

const NO_EDGES: ReadonlyMap<string, Edge> = new Map();

/** Lets it come to rest. */
function rest(model: GraphModel): void {
  for (let frame = 0; model.isMoving; frame += 1) {
    if (frame > 1_000) throw new Error('it does not come to rest');
    model.step(16);
  }
}

function shownOf(model: GraphModel): string[] {
  return model.graph.filterNodes((_id, { size }) => size > 0).sort();
}

describe('GraphModel', () => {
  test('agents grow in, change, and fade out; those that stay keep their place', () => {
    const model = new GraphModel('dark');
    const [a, b] = [agentOf('a'), agentOf('b')];
    expect(model.show(byId(a, b), NO_EDGES)).toBe(true);
    expect(model.graph.getNodeAttribute('x:a', 'size')).toBe(0);
    rest(model);
    const before = { ...model.graph.getNodeAttributes('x:a') };
    expect(before.size).toBeGreaterThan(0);
    expect(model.show(byId({ ...a, status: 'ERROR' }, b), NO_EDGES)).toBe(false);
    expect(model.step(16)).toContain('x:a');
    rest(model);
    const after = model.graph.getNodeAttributes('x:a');
    expect(after.ring).not.toBe(before.ring);
    expect([after.x, after.y]).toEqual([before.x, before.y]);
    expect(model.show(byId(b), NO_EDGES)).toBe(true);
    rest(model);
    expect(shownOf(model)).toEqual(['x:b']);
  });

  test('agents that did not change cost no frame', () => {
    const model = new GraphModel('dark');
    const agents = byId(agentOf('a'), agentOf('b'));
    model.show(agents, NO_EDGES);
    rest(model);
    model.show(new Map(agents), NO_EDGES);
    expect(model.isMoving).toBe(false);
    expect(model.step(16)).toEqual([]);
  });

  test('work is seen for a moment: the agent swells and shrinks again', () => {
    const model = new GraphModel('dark');
    const agent = agentOf('a', { performance: workOf({ tasksCompleted: 1 }) });
    model.show(byId(agent), NO_EDGES);
    rest(model);
    const size = model.graph.getNodeAttribute('x:a', 'size');
    model.show(byId({ ...agent, performance: workOf({ tasksCompleted: 2 }) }), NO_EDGES);
    model.step(1);
    expect(model.graph.getNodeAttribute('x:a', 'size')).toBeGreaterThan(size * 1.2);
    rest(model);
    expect(model.graph.getNodeAttribute('x:a', 'size')).toBe(size);
  });

  test('without motion, one step is enough and nothing swells', () => {
    const model = new GraphModel('dark', true);
    const agent = agentOf('a');
    model.show(byId(agent), NO_EDGES);
    model.step(16);
    const size = model.graph.getNodeAttribute('x:a', 'size');
    model.show(byId({ ...agent, performance: workOf({ tasksCompleted: 2 }) }), NO_EDGES);
    model.step(16);
    expect(model.graph.getNodeAttribute('x:a', 'size')).toBe(size);
  });

  test('an edge is there as soon as both of its ends are', () => {
    const model = new GraphModel('dark');
    const edges = byId<Edge>({ id: 'e', from: 'x:a', to: 'x:b', inferred: true });
    model.show(byId(agentOf('a')), edges);
    expect(model.graph.size).toBe(0);
    model.show(byId(agentOf('a'), agentOf('b')), edges);
    expect(model.graph.getEdgeAttributes('e')).toEqual({ inferred: true, isGone: false });
    model.show(byId(agentOf('a'), agentOf('b')), NO_EDGES);
    expect(model.takeChangedEdges()).toEqual(['e']);
    expect(model.graph.getEdgeAttribute('e', 'isGone')).toBe(true);
  });

  test('what is searched for stays, all else is faint', () => {
    const model = new GraphModel('dark');
    model.show(byId(agentOf('a'), agentOf('b')), NO_EDGES);
    model.highlight(({ name }) => name === 'a');
    rest(model);
    expect(model.graph.getNodeAttribute('x:a', 'opacity')).toBe(1);
    expect(model.graph.getNodeAttribute('x:b', 'opacity')).toBeLessThan(0.3);
    expect(model.graph.getNodeAttribute('x:b', 'label')).toBe('');
    model.show(byId(agentOf('a'), agentOf('b'), agentOf('c')), NO_EDGES);
    rest(model);
    expect(model.graph.getNodeAttribute('x:c', 'opacity')).toBeLessThan(0.3);
    model.highlight(null);
    rest(model);
    expect(model.graph.getNodeAttribute('x:b', 'label')).toBe('b');
    expect(model.graph.getNodeAttribute('x:b', 'opacity')).toBe(1);
  });

  test('a new agent comes beside its swarm, a new swarm where there is room', () => {
    const model = new GraphModel('dark');
    const inSwarm = (id: string, swarm: string) => agentOf(id, { swarmId: `x:${swarm}` });
    const many = Array.from({ length: 30 }, (_, index) => inSwarm(`a${index}`, 'one'));
    model.show(byId(...many), NO_EDGES);
    model.place(
      many.map(({ id }) => id),
      new Float32Array(many.flatMap(() => [500, 500])),
    );
    rest(model);
    model.show(byId(...many, inSwarm('new', 'one'), inSwarm('other', 'two')), NO_EDGES);
    const distanceOf = (id: string): number => {
      const { x, y } = model.graph.getNodeAttributes(id);
      return Math.hypot(x - 500, y - 500);
    };
    expect(distanceOf('x:new')).toBeLessThan(200);
    expect(distanceOf('x:other')).toBeGreaterThan(200);
  });

  test('after any history, the graph shows the agents and edges of the last picture, and forgets the others', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 120 }), { maxLength: 90 });
    fc.assert(
      fc.property(
        fc.array(ids, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 30 }),
        (pictures, frames) => {
          const model = new GraphModel('light');
          let last: ReturnType<typeof pictureOf> = pictureOf([]);
          for (const numbers of pictures) {
            last = pictureOf(numbers);
            model.show(last.agents, last.edges);
            for (let frame = 0; frame < frames; frame += 1) model.step(16);
          }
          rest(model);
          expect(shownOf(model)).toEqual([...last.agents.keys()].sort());
          expect(model.graph.filterEdges((_id, { isGone }) => !isGone).sort()).toEqual([...last.edges.keys()].sort());
          const { ids: laidOut, input } = model.layout();
          expect([...laidOut].sort()).toEqual([...last.agents.keys()].sort());
          expect(input.groups).toHaveLength(laidOut.length);
          model.show(last.agents, last.edges);
          expect(model.graph.order).toBeLessThanOrEqual(last.agents.size + 121);
        },
      ),
      runs(25),
    );
  });
});

/** A chain of agents in two swarms. */
function pictureOf(numbers: readonly number[]) {
  const agents = byId(...numbers.map((number) => agentOf(`${number}`, { swarmId: `x:${number % 2}` })));
  const edges = byId<Edge>(
    ...numbers.slice(1).map((number, index) => {
      const from = numbers[index] ?? 0;
      return { id: `${from}-${number}`, from: `x:${from}`, to: `x:${number}`, inferred: index % 2 === 0 };
    }),
  );
  return { agents, edges };
}

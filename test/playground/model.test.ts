import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphModel } from '../../playground/graph/graph-model.js';
import { createAgent, byId, createPerformance } from './agents.js';
import { runs } from '../support/fuzz-inputs.js';

interface Edge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly inferred: boolean;
}

const NO_EDGES: ReadonlyMap<string, Edge> = new Map();

/** Runs steps until nothing moves. */
function rest(model: GraphModel): void {
  for (let frame = 0; model.isMoving; frame += 1) {
    if (frame > 1_000) throw new Error('the model does not come to rest');
    model.step(16);
  }
}

function listVisible(model: GraphModel): string[] {
  return model.graph.filterNodes((_id, { size }) => size > 0).sort();
}

describe('GraphModel', () => {
  test('fades agents in and out and keeps the positions of the others', () => {
    const model = new GraphModel('dark');
    const [a, b] = [createAgent('a'), createAgent('b')];
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
    expect(listVisible(model)).toEqual(['x:b']);
  });

  test('does not move when nothing has changed', () => {
    const model = new GraphModel('dark');
    const agents = byId(createAgent('a'), createAgent('b'));
    model.show(agents, NO_EDGES);
    rest(model);
    model.show(new Map(agents), NO_EDGES);
    expect(model.isMoving).toBe(false);
    expect(model.step(16)).toEqual([]);
  });

  test('enlarges an agent for a moment when it has worked', () => {
    const model = new GraphModel('dark');
    const agent = createAgent('a', { performance: createPerformance({ tasksCompleted: 1 }) });
    model.show(byId(agent), NO_EDGES);
    rest(model);
    const size = model.graph.getNodeAttribute('x:a', 'size');
    model.show(byId({ ...agent, performance: createPerformance({ tasksCompleted: 2 }) }), NO_EDGES);
    model.step(1);
    expect(model.graph.getNodeAttribute('x:a', 'size')).toBeGreaterThan(size * 1.2);
    rest(model);
    expect(model.graph.getNodeAttribute('x:a', 'size')).toBe(size);
  });

  test('applies changes instantly with reduced motion', () => {
    const model = new GraphModel('dark', true);
    const agent = createAgent('a');
    model.show(byId(agent), NO_EDGES);
    model.step(16);
    const size = model.graph.getNodeAttribute('x:a', 'size');
    model.show(byId({ ...agent, performance: createPerformance({ tasksCompleted: 2 }) }), NO_EDGES);
    model.step(16);
    expect(model.graph.getNodeAttribute('x:a', 'size')).toBe(size);
  });

  test('connects an agent with the agent that started it, also in another group, instead of an edge of the topology', () => {
    const model = new GraphModel('dark');
    const parent = createAgent('parent', { swarmId: 'x:s' });
    const child = createAgent('child', { parentId: 'x:parent', swarmId: 'x:t' });
    const edges = byId<Edge>({ id: 'e', from: 'x:parent', to: 'x:child', inferred: true });
    expect(model.show(byId(parent, child), edges)).toBe(true);
    const listEdges = (): unknown[] =>
      model.graph.mapEdges((_id, { isParent, isGone }, from, to) => ({ from, to, isParent, isGone }));
    const edge = { from: 'x:parent', to: 'x:child', isParent: true };
    expect(listEdges()).toEqual([{ ...edge, isGone: false }]);
    expect(model.show(byId(parent, { ...child, parentId: null }), NO_EDGES)).toBe(true);
    expect(listEdges()).toEqual([{ ...edge, isGone: true }]);
    expect(model.show(byId(parent, { ...child, parentId: 'x:nobody' }), NO_EDGES)).toBe(false);
  });

  test('does not enlarge a stale agent', () => {
    const model = new GraphModel('dark');
    const [idle, busy] = [createAgent('idle'), createAgent('busy', { status: 'BUSY' })];
    model.show(byId(idle, busy), NO_EDGES);
    rest(model);
    const sizeOf = (id: string): number => model.graph.getNodeAttribute(id, 'size');
    const [idleSize, busySize] = [sizeOf('x:idle'), sizeOf('x:busy')];
    model.show(byId({ ...idle, stale: true }, { ...busy, stale: true }), NO_EDGES);
    model.step(1);
    expect(sizeOf('x:idle')).toBe(idleSize);
    rest(model);
    // A stale agent is not drawn as one that works.
    expect(sizeOf('x:busy')).toBeLessThan(busySize);
    expect(sizeOf('x:busy')).toBe(idleSize);
  });

  test('changes labels without moving agents', () => {
    const model = new GraphModel('dark');
    model.show(byId(createAgent('a'), createAgent('b')), NO_EDGES);
    rest(model);
    model.setLabels(new Map([['x:a', 'a 1234']]));
    expect(model.isMoving).toBe(true);
    expect(model.step(16)).toEqual(['x:a']);
    expect(model.graph.getNodeAttribute('x:a', 'label')).toBe('a 1234');
    expect(model.isMoving).toBe(false);
  });

  test('adds an edge when both of its agents exist', () => {
    const model = new GraphModel('dark');
    const edges = byId<Edge>({ id: 'e', from: 'x:a', to: 'x:b', inferred: true });
    model.show(byId(createAgent('a')), edges);
    expect(model.graph.size).toBe(0);
    model.show(byId(createAgent('a'), createAgent('b')), edges);
    expect(model.graph.getEdgeAttributes('e')).toEqual({ inferred: true, isParent: false, isGone: false });
    model.show(byId(createAgent('a'), createAgent('b')), NO_EDGES);
    expect(model.takeChangedEdges()).toEqual(['e']);
    expect(model.graph.getEdgeAttribute('e', 'isGone')).toBe(true);
  });

  test('dims agents that do not match the search', () => {
    const model = new GraphModel('dark');
    model.show(byId(createAgent('a'), createAgent('b')), NO_EDGES);
    model.highlight(({ name }) => name === 'a');
    rest(model);
    expect(model.graph.getNodeAttribute('x:a', 'opacity')).toBe(1);
    expect(model.graph.getNodeAttribute('x:b', 'opacity')).toBeLessThan(0.3);
    expect(model.graph.getNodeAttribute('x:b', 'label')).toBe('');
    model.show(byId(createAgent('a'), createAgent('b'), createAgent('c')), NO_EDGES);
    rest(model);
    expect(model.graph.getNodeAttribute('x:c', 'opacity')).toBeLessThan(0.3);
    model.highlight(null);
    rest(model);
    expect(model.graph.getNodeAttribute('x:b', 'label')).toBe('b');
    expect(model.graph.getNodeAttribute('x:b', 'opacity')).toBe(1);
  });

  test('places a new agent next to its swarm and a new swarm in free space', () => {
    const model = new GraphModel('dark');
    const inSwarm = (id: string, swarm: string) => createAgent(id, { swarmId: `x:${swarm}` });
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

  test('for any history: shows the agents and edges of the last snapshot only', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 120 }), { maxLength: 90 });
    fc.assert(
      fc.property(
        fc.array(ids, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 30 }),
        (snapshots, frames) => {
          const model = new GraphModel('light');
          let last: ReturnType<typeof createChain> = createChain([]);
          for (const numbers of snapshots) {
            last = createChain(numbers);
            model.show(last.agents, last.edges);
            for (let frame = 0; frame < frames; frame += 1) model.step(16);
          }
          rest(model);
          expect(listVisible(model)).toEqual([...last.agents.keys()].sort());
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

/** Creates a chain of agents in two swarms. */
function createChain(numbers: readonly number[]) {
  const agents = byId(...numbers.map((number) => createAgent(`${number}`, { swarmId: `x:${number % 2}` })));
  const edges = byId<Edge>(
    ...numbers.slice(1).map((number, index) => {
      const from = numbers[index] ?? 0;
      return { id: `${from}-${number}`, from: `x:${from}`, to: `x:${number}`, inferred: index % 2 === 0 };
    }),
  );
  return { agents, edges };
}

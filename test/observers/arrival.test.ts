import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ObservedAgent } from '../../src/observer-format/index.js';
import type { Observer } from '../../src/observers/index.js';
import { comparable, inExpectedWords, ScenarioFiles, SourceReader } from './claude-scenario.js';
import { agentsOf, ObservedDirectory } from './observed-directory.js';

const SCENARIOS = [
  'api-error',
  'compaction',
  'damaged',
  'interrupted',
  'permission-wait',
  'resumed-duplicates',
  'session-tools',
  'team',
  'two-subagents',
];
const source = new SourceReader().source;

/** Step of an arrival: bytes of one file, a search, or a new observer. */
type Step =
  | { readonly kind: 'bytes'; readonly file: number; readonly count: number }
  | { readonly kind: 'read' | 'restart' | 'forget' };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      arbitrary: fc.record({
        kind: fc.constant('bytes' as const),
        file: fc.nat(12),
        count: fc.integer({ min: 1, max: 4_000 }),
      }),
      weight: 6,
    },
    { arbitrary: fc.constant({ kind: 'read' as const }), weight: 3 },
    { arbitrary: fc.constant({ kind: 'restart' as const }), weight: 1 },
    { arbitrary: fc.constant({ kind: 'forget' as const }), weight: 1 },
  ),
  { maxLength: 30 },
);

/** Client that keeps the agents by passing on the revision that it knows. */
class DeltaReader {
  readonly agents = new Map<string, ObservedAgent>();
  #after: string | null = null;

  read({ lists }: Observer): void {
    const changes = lists.agents.changesSince(lists.parseRevision(this.#after));
    if (changes.isComplete) this.agents.clear();
    for (const agent of changes.entries) this.agents.set(agent.id, agent);
    for (const id of changes.removedIds) this.agents.delete(id);
    this.#after = lists.revision;
  }
}

describe.each(SCENARIOS)('scenario %s', (name) => {
  test('for any arrival of its bytes and any restarts: the agents are the expected ones in the end', async () => {
    const files = ScenarioFiles.of('claude-code', name);
    const { agents } = files.expected();
    const paths = files.paths.filter((path) => source.classify(path) !== null);
    const contents = await Promise.all(paths.map((path) => readFile(join(files.root, path))));
    await fc.assert(
      fc.asyncProperty(steps, async (arrival) => {
        await using directory = await ObservedDirectory.create();
        const written = contents.map(() => 0);
        const append = async (file: number, count: number): Promise<void> => {
          const [path, content, position] = [paths[file] ?? '', contents[file] ?? Buffer.alloc(0), written[file] ?? 0];
          const bytes = content.subarray(position, position + count);
          written[file] = position + bytes.length;
          if (bytes.length > 0) await directory.append(path, bytes);
        };
        let epoch = 0;
        const start = (): Observer => directory.observe({ epoch: `epoch${(epoch += 1)}` });
        let observer = start();
        const reader = new DeltaReader();
        for (const step of arrival) {
          if (step.kind === 'bytes') await append(step.file % paths.length, step.count);
          else if (step.kind === 'read') await observer.settled();
          else {
            await observer[Symbol.asyncDispose]();
            if (step.kind === 'forget') directory.clock.advance(1);
            observer =
              step.kind === 'forget' ? directory.observe({ epoch: `epoch${(epoch += 1)}`, indexFile: null }) : start();
          }
          reader.read(observer);
        }
        for (const file of paths.keys()) await append(file, Infinity);
        await observer.completed();
        reader.read(observer);
        const found = agentsOf(observer);
        await observer[Symbol.asyncDispose]();

        const compared = agents.map(comparable);
        expect(
          compared.map((agent) => {
            const seen = found.get(agent.id);
            return seen === undefined ? { id: agent.id, missing: true } : inExpectedWords(seen, agent);
          }),
        ).toEqual(compared);
        expect([...found.keys()].sort()).toEqual(agents.map(({ id }) => id).sort());
        expect(reader.agents).toEqual(found);
      }),
      { numRuns: 30 },
    );
  });
});

import { z } from 'zod';
import type { ReportedAgent, ReportedSwarm } from '../../model/index.js';
import * as field from '../responses/value-schemas.js';
import { parseAgentStatus } from '../responses/agent-status.js';
import { expectObject } from '../responses/parse-response.js';
import type { RecordReader, ResponseLocation } from '../responses/record-reader.js';
import { createReportedAgent, toNeural } from '../responses/report-builders.js';

/** Most swarms, and most DAA agents, that are remembered. The oldest is forgotten first. */
const MAX_FACTS = 1_000;

const createdSwarmSchema = z.object({
  id: field.id,
  topology: field.word,
  strategy: field.word,
  maxAgents: field.count,
  created: field.timestamp,
});
type CreatedSwarm = z.output<typeof createdSwarmSchema>;

const daaAgentSchema = z.object({
  id: field.id,
  swarmId: field.reference,
  status: field.word,
  capabilities: field.capabilities,
  cognitive_pattern: field.word,
  created_at: field.timestamp,
});
type DaaAgent = z.output<typeof daaAgentSchema>;

/**
 * Facts that only the result of the creating call contains, and no list: topology, strategy and maximum of a swarm, and DAA
 * agents. ruv-swarm offers no tool that removes DAA agents, so that they last as long as its process.
 */
export class ObservedFacts {
  readonly #records: RecordReader;
  readonly #swarms = new Map<string, CreatedSwarm>();
  readonly #daaAgents = new Map<string, DaaAgent>();

  constructor(records: RecordReader) {
    this.#records = records;
  }

  /** Remembers the values of a created swarm. */
  addSwarm(location: ResponseLocation, entry: unknown): void {
    const swarm = this.#records.read(location, createdSwarmSchema, entry);
    if (swarm !== null) remember(this.#swarms, swarm.id, swarm);
  }

  /** Returns the values of a swarm that only its creation reported. Empty if it was not observed. */
  swarmValues(id: string): Partial<ReportedSwarm> {
    const swarm = this.#swarms.get(id);
    if (swarm === undefined) return {};
    const { topology, strategy, maxAgents, created } = swarm;
    return { topologyName: topology, strategy, maxAgents, createdAt: created };
  }

  /**
   * Adds a created DAA agent. Returns whether the result contains one.
   * @throws UnusableResponseError if the result is malformed
   */
  addDaaAgent({ tool, path }: ResponseLocation, response: unknown): boolean {
    const { agent: entry, swarm_id: swarmId } = expectObject(response);
    const agent = this.#records.read({ tool, path: `${path}.agent` }, daaAgentSchema, {
      ...expectObject(entry),
      swarmId,
    });
    if (agent === null) return false;
    remember(this.#daaAgents, agent.id, agent);
    return true;
  }

  /** Changes the cognitive pattern of a known DAA agent. Returns whether there is one. */
  changePattern(agentId: unknown, pattern: unknown): boolean {
    const agent = typeof agentId === 'string' ? this.#daaAgents.get(agentId) : undefined;
    if (agent === undefined || typeof pattern !== 'string') return false;
    this.#daaAgents.set(agent.id, { ...agent, cognitive_pattern: field.normalizeWord(pattern) });
    return true;
  }

  /** @param usedIds ids of the listed agents; a DAA agent with a used id is omitted */
  daaAgents(usedIds: ReadonlySet<string>): ReportedAgent[] {
    return [...this.#daaAgents.values()]
      .filter(({ id }) => !usedIds.has(id))
      .map((agent) =>
        createReportedAgent({
          nativeId: agent.id,
          serverType: 'DAA',
          swarmNativeId: agent.swarmId,
          status: parseAgentStatus(agent.status),
          capabilities: agent.capabilities,
          neural: toNeural({ cognitivePattern: agent.cognitive_pattern }),
          createdAt: agent.created_at,
        }),
      );
  }
}

function remember<T>(facts: Map<string, T>, id: string, fact: T): void {
  facts.set(id, fact);
  const [oldest] = facts.keys();
  if (facts.size > MAX_FACTS && oldest !== undefined) facts.delete(oldest);
}

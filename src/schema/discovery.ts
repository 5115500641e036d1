import type { DiscoveryCandidate, CandidateStatus } from '../model/index.js';
import { isoTimestamp } from '../shared/index.js';
import { builder } from './builder.js';
import { McpServerTypeEnum, TransportKindEnum } from './enums.js';
import { McpServerRef } from './server.js';
import { SwarmRef } from './swarm.js';

const CandidateStatusEnum = builder.enumType('CandidateStatus', {
  description: 'What is known of something that may be an MCP server.',
  values: {
    AVAILABLE: { description: 'It answered.' },
    CONFIGURED: { description: 'It is watched already, and was not asked.' },
    LISTED: { description: 'It stands in a file, and was neither started nor asked.' },
    REFUSED: { description: 'It wants to know who asks.' },
    UNREACHABLE: { description: 'It stands in a file, and nothing answers there.' },
    NOT_MCP: { description: 'Something listens there that does not speak MCP.' },
  } satisfies Record<CandidateStatus, object>,
});

const CandidateType = builder.objectRef<DiscoveryCandidate>('DiscoveryCandidate').implement({
  description: 'Something in one of the usual places that is, or may be, an MCP server.',
  fields: (t) => ({
    place: t.exposeString('place', { description: 'Where it was found: a file, or host and port.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its key in the file; else what it calls itself.' }),
    version: t.exposeString('version', { nullable: true, description: 'As it says.' }),
    type: t.expose('type', {
      type: McpServerTypeEnum,
      nullable: true,
      description: 'Its family, from its name and tools or from its command; null where they do not tell.',
    }),
    transport: t.expose('transport', { type: TransportKindEnum, nullable: true, description: 'How it is reached.' }),
    status: t.expose('status', { type: CandidateStatusEnum, description: 'What is known of it.' }),
    capabilities: t.field({
      type: ['String'],
      description: 'What it says that it can do: tools, resources, prompts, …',
      resolve: ({ capabilities }) => [...capabilities],
    }),
    tools: t.field({
      type: ['String'],
      description: 'Names of its tools.',
      resolve: ({ tools }) => [...tools],
    }),
    serverId: t.exposeID('serverId', {
      nullable: true,
      description: '`McpServer.id`, when it is watched already.',
    }),
    detail: t.exposeString('detail', { nullable: true, description: 'Why it is no better than its status.' }),
    entry: t.expose('entry', {
      type: 'JSON',
      nullable: true,
      description: 'What to write into `mcpServers` to have it watched; null where it stands in a file anyway.',
    }),
  }),
});

/** Everything that is in a discovery is read from the context. */
export const DiscoveryRef = builder.objectRef<object>('Discovery').implement({
  description: 'All that was found, as far as the viewer sees it.',
  fields: (t) => ({
    servers: t.field({
      type: [McpServerRef],
      description: 'All servers, in the order of the configuration; those that came later come last.',
      resolve: (_discovery, _args, { store }) => [...store.servers.values()],
    }),
    swarms: t.field({
      type: [SwarmRef],
      description: 'All swarms.',
      resolve: (_discovery, _args, { store }) => [...store.swarms.values()],
    }),
    totalAgents: t.int({
      description: 'Agents in the picture, stale ones included.',
      resolve: (_discovery, _args, { store }) => store.agents.size,
    }),
    candidates: t.field({
      type: [CandidateType],
      description:
        "What stands in the project's .mcp.json or listens on the usual ports of this machine. Nothing is started. Looked for when asked, at most every ten seconds, and with `refreshDiscovery`; takes up to five seconds. Empty for viewers without `servers:admin`, and for those who do not see all servers.",
      resolve: async (_discovery, _args, { candidates, viewer }) =>
        viewer.permissions.has('servers:admin') ? [...(await candidates.list())] : [],
    }),
    timestamp: t.field({
      type: 'DateTime',
      description: 'When the last discovery ended; now, while the first one is under way.',
      resolve: (_discovery, _args, { upstreams, clock }) => upstreams.discoveredAt ?? isoTimestamp(clock),
    }),
  }),
});

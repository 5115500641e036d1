import type { DiscoveryCandidate, CandidateStatus } from '../model/index.js';
import { isoTimestamp } from '../shared/index.js';
import { builder } from './builder.js';
import { McpServerTypeEnum, TransportKindEnum } from './enums.js';
import { McpServerRef } from './server.js';
import { SwarmRef } from './swarm.js';

const CandidateStatusEnum = builder.enumType('CandidateStatus', {
  description: 'Result of probing a discovery candidate.',
  values: {
    AVAILABLE: { description: 'The endpoint answered as an MCP server.' },
    CONFIGURED: { description: 'The server is configured and was therefore not probed.' },
    LISTED: { description: 'Listed in a file, or a coding agent on this machine; neither started nor probed.' },
    REFUSED: { description: 'The endpoint requires authentication.' },
    UNREACHABLE: {
      description:
        'Listed in a file, but nothing listens; or something listens, but has not answered within the probe timeout.',
    },
    NOT_MCP: { description: 'The endpoint speaks another protocol than MCP.' },
  } satisfies Record<CandidateStatus, object>,
});

const CandidateType = builder.objectRef<DiscoveryCandidate>('DiscoveryCandidate').implement({
  description: 'Possible MCP server found in a file or on a port, or coding agent that can be observed.',
  fields: (t) => ({
    place: t.exposeString('place', {
      description: 'Location of the candidate: a file, host and port, or the directory of a coding agent.',
    }),
    name: t.exposeString('name', {
      nullable: true,
      description:
        'Key in the file or name of the coding agent, otherwise the name that the server reports. Null if unknown.',
    }),
    version: t.exposeString('version', { nullable: true, description: 'Version that the server reports.' }),
    type: t.expose('type', {
      type: McpServerTypeEnum,
      nullable: true,
      description: 'Server type, detected from name and tools or from the command. Null if it cannot be detected.',
    }),
    transport: t.expose('transport', {
      type: TransportKindEnum,
      nullable: true,
      description: 'Transport of the endpoint. Null if unknown.',
    }),
    status: t.expose('status', { type: CandidateStatusEnum, description: 'Result of the probe.' }),
    capabilities: t.field({
      type: ['String'],
      description: 'MCP capabilities that the server reports: tools, resources, prompts, …',
      resolve: ({ capabilities }) => [...capabilities],
    }),
    tools: t.field({
      type: ['String'],
      description: 'Names of the tools.',
      resolve: ({ tools }) => [...tools],
    }),
    serverId: t.exposeID('serverId', {
      nullable: true,
      description: '`McpServer.id` if the server is configured. Null otherwise.',
    }),
    detail: t.exposeString('detail', {
      nullable: true,
      description: 'Reason for the status, as text for a person. Null if there is nothing to explain.',
    }),
    entry: t.expose('entry', {
      type: 'JSON',
      nullable: true,
      description:
        'Entry for `mcpServers` that connects the server. Null if the candidate is listed in a file or a coding agent.',
    }),
  }),
});

/** Ref of `Discovery`, whose fields are all resolved from the context. */
export const DiscoveryRef = builder.objectRef<object>('Discovery').implement({
  description: 'All servers and swarms that the viewer can see, and the discovery candidates.',
  fields: (t) => ({
    servers: t.field({
      type: [McpServerRef],
      description: 'Servers in the order of the configuration, followed by those that were added later.',
      resolve: (_discovery, _args, { store }) => [...store.servers.values()],
    }),
    swarms: t.field({
      type: [SwarmRef],
      description: 'Swarms of all servers.',
      resolve: (_discovery, _args, { store }) => [...store.swarms.values()],
    }),
    totalAgents: t.int({
      description: 'Number of known agents, including stale ones.',
      resolve: (_discovery, _args, { store }) => store.agents.size,
    }),
    candidates: t.field({
      type: [CandidateType],
      description:
        'Possible MCP servers in `.mcp.json` of the project and on well-known local ports, and the coding agents of this machine. Nothing is started. Probed on request, at most every ten seconds and after `refreshDiscovery`; takes up to five seconds. Empty for viewers without `servers:admin` and for viewers with a restriction on servers.',
      resolve: async (_discovery, _args, { candidates, viewer }) =>
        viewer.permissions.has('servers:admin') ? [...(await candidates.list())] : [],
    }),
    timestamp: t.field({
      type: 'DateTime',
      description: 'Time at which the last discovery was completed. The current time during the first discovery.',
      resolve: (_discovery, _args, { upstreams, clock }) => upstreams.discoveredAt ?? isoTimestamp(clock),
    }),
  }),
});

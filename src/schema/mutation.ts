import { setMaxListeners } from 'node:events';
import type { UpstreamService } from '../access/index.js';
import type { ToolResult } from '../model/index.js';
import { SwarmlensError, isoTimestamp } from '../shared/index.js';
import { validateName, validateNames } from './arguments.js';
import { builder } from './builder.js';
import { permissionExtension } from './field-extensions.js';
import { DiscoveryRef } from './discovery.js';
import { parseToolArguments } from './tool-arguments.js';
import { ViewerRef } from './viewer.js';

type PollOutcome = Awaited<ReturnType<UpstreamService['pollNow']>>;

interface CalledTool extends ToolResult {
  readonly serverId: string;
  readonly tool: string;
}

const ToolResultType = builder.objectRef<CalledTool>('ToolResult').implement({
  description: 'Result of a tool call.',
  fields: (t) => ({
    serverId: t.exposeID('serverId', { description: 'Id of the called server.' }),
    tool: t.exposeString('tool', { description: 'Name of the called tool.' }),
    isError: t.exposeBoolean('isError', {
      description:
        'Whether the server rejected the call or marked the result as an error. Some servers report failures in `content` only.',
    }),
    content: t.expose('content', {
      type: 'JSON',
      nullable: true,
      description:
        'Content of the result: JSON, or a string if the server sent no JSON. Known secrets are replaced by `[redacted]`, oversized values are truncated.',
    }),
    durationMs: t.exposeFloat('durationMs', { description: 'Duration of the call in milliseconds.' }),
  }),
});

const AgentUpdateRequestType = builder.objectRef<PollOutcome>('AgentUpdateRequest').implement({
  description: 'Result of a requested update.',
  fields: (t) => ({
    serverIds: t.field({
      type: ['ID'],
      description: 'Ids of the servers that answered the poll.',
      resolve: ({ answered }) => [...answered],
    }),
    unansweredServerIds: t.field({
      type: ['ID'],
      description: 'Ids of the servers that did not answer. Their agents have the last known values.',
      resolve: ({ unanswered }) => [...unanswered],
    }),
    timestamp: t.field({
      type: 'DateTime',
      description: 'Time at which the last poll was completed.',
      resolve: (_outcome, _args, { clock }) => isoTimestamp(clock),
    }),
  }),
});

builder.mutationFields((t) => ({
  callTool: t.field({
    type: ToolResultType,
    extensions: permissionExtension('tools:call'),
    description:
      'Calls a tool on a server once and polls the server afterwards. Fails with FORBIDDEN if the tool is not listed in `allowTools`, or if the viewer cannot see everything of the server, including performance and neural data. Fails with RATE_LIMITED if too many calls of the client wait for the server. Fails with SERVER_UNAVAILABLE if the server does not answer.',
    args: {
      serverId: t.arg.id({ required: true, description: 'Id of the server.' }),
      tool: t.arg.string({ required: true, description: 'Name of the tool, as in `McpServer.tools`.' }),
      arguments: t.arg({
        type: 'JSON',
        description:
          'Arguments of the tool as an object. Omitted: no arguments. At most 10,000 values, 32 levels and 65,536 characters per string, without control characters.',
      }),
    },
    resolve: async (_root, args, { upstreams, streams, clientId, viewer }) => {
      const { serverId, tool } = args;
      validateName('serverId', serverId);
      validateName('tool', tool);
      const toolArguments = parseToolArguments('arguments', args.arguments);
      const caller = { clientId, permissions: [...viewer.permissions], restriction: viewer.restriction };
      const result = await upstreams.callTool(serverId, tool, toolArguments, NEVER, caller);
      streams.rateClock.triggerOnDemand();
      return { serverId, tool, ...result };
    },
  }),
  refreshDiscovery: t.field({
    type: DiscoveryRef,
    extensions: permissionExtension('agents:read'),
    description:
      'Polls all servers that the viewer can see, reconnects unreachable ones, and returns the discovery. Limited to once per second and client.',
    resolve: async (_root, _args, { upstreams, candidates, clientId, connectionId, limitToOncePerSecond }) => {
      await limitToOncePerSecond('refreshDiscovery', { clientId, connectionId });
      candidates.clear();
      await upstreams.refresh();
      return {};
    },
  }),
  requestAgentUpdate: t.field({
    type: AgentUpdateRequestType,
    extensions: permissionExtension('agents:read'),
    description:
      'Polls servers immediately and sends an update to all ON_DEMAND streams. Limited to once per second and client.',
    args: {
      serverIds: t.arg.idList({
        description: 'Only servers with these ids. Omitted: all servers that the viewer can see.',
      }),
    },
    resolve: async (_root, { serverIds }, { upstreams, clientId, connectionId, limitToOncePerSecond, rateClock }) => {
      validateNames('serverIds', serverIds);
      await limitToOncePerSecond('requestAgentUpdate', { clientId, connectionId });
      const outcome = await upstreams.pollNow(serverIds ?? null);
      rateClock.triggerOnDemand();
      return outcome;
    },
  }),
  setMaxHz: t.field({
    type: 'Float',
    nullable: true,
    extensions: permissionExtension(null),
    description:
      'Sets the highest update rate of all streams of the WebSocket, as `maxHz` of `connection_init` does. Running subscriptions continue at the new rate without a gap. Returns the rate, null if there is no limit. Limited to once per second and client.',
    args: {
      maxHz: t.arg.float({ description: 'Updates per second, greater than 0. Null or omitted: no limit.' }),
    },
    resolve: async (_root, { maxHz = null }, { rateLimit, clientId, connectionId, limitToOncePerSecond }) => {
      if (rateLimit === null) {
        throw new SwarmlensError(
          'BAD_USER_INPUT',
          'Streams over HTTP have no rate limit to set. Use a WebSocket, or a slower `mode`.',
        );
      }
      if (maxHz !== null && maxHz <= 0) {
        throw new SwarmlensError('BAD_USER_INPUT', `maxHz: must be a number above 0, not ${maxHz}`);
      }
      await limitToOncePerSecond('setMaxHz', { clientId, connectionId });
      rateLimit.maxHz = maxHz;
      return maxHz;
    },
  }),
  authenticate: t.field({
    type: ViewerRef,
    extensions: permissionExtension(null),
    description:
      'Replaces the token of a WebSocket before it expires, without interrupting subscriptions. Fails with FORBIDDEN if the new token has another subject, other permissions or another restriction. Over HTTP, each request carries its own token.',
    args: {
      token: t.arg.string({ required: true, description: 'Token without a prefix. Pass it as a variable.' }),
    },
    resolve: async (_root, { token }, { reauthenticate }) => {
      if (reauthenticate !== null) return await reauthenticate(token);
      throw new SwarmlensError(
        'BAD_USER_INPUT',
        'No token to replace over HTTP. Send each request with its own "Authorization: Bearer <token>".',
      );
    },
  }),
}));

/** Signal that never aborts. A started tool call is completed even if its caller disconnects, because it cannot be undone. */
const NEVER = new AbortController().signal;
// All calls in progress share the signal.
setMaxListeners(0, NEVER);

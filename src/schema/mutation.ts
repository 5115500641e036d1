import type { PollOutcome } from '../upstream/index.js';
import type { ToolResult } from '../model/index.js';
import { SwarmlensError, isoTimestamp } from '../shared/index.js';
import { validateName, validateNames } from './arguments.js';
import { builder } from './builder.js';
import { permissionExtension } from './field-extensions.js';
import { DiscoveryRef } from './discovery.js';
import { parseToolArguments } from './tool-arguments.js';
import { ViewerRef } from './viewer.js';

interface CalledTool extends ToolResult {
  readonly serverId: string;
  readonly tool: string;
}

const ToolResultType = builder.objectRef<CalledTool>('ToolResult').implement({
  description: 'What a tool answered.',
  fields: (t) => ({
    serverId: t.exposeID('serverId', { description: 'The server that was called.' }),
    tool: t.exposeString('tool', { description: 'The tool that was called.' }),
    isError: t.exposeBoolean('isError', {
      description:
        'The server refused the call or marked its answer as an error. Some servers report failures inside `content` only.',
    }),
    content: t.expose('content', {
      type: 'JSON',
      nullable: true,
      description:
        'The answer: JSON, or text where the server sent no JSON. Known secrets in it read `[redacted]`; what is too long or too deep is cut.',
    }),
    durationMs: t.exposeFloat('durationMs', { description: 'How long the call took, milliseconds.' }),
  }),
});

const AgentUpdateRequestType = builder.objectRef<PollOutcome>('AgentUpdateRequest').implement({
  description: 'An update that was asked for, and has been made.',
  fields: (t) => ({
    serverIds: t.field({
      type: ['ID'],
      description: 'Servers that were polled and answered.',
      resolve: ({ answered }) => [...answered],
    }),
    unansweredServerIds: t.field({
      type: ['ID'],
      description: 'Servers that did not answer: their agents show last known values.',
      resolve: ({ unanswered }) => [...unanswered],
    }),
    timestamp: t.field({
      type: 'DateTime',
      description: 'When the last of them had answered.',
      resolve: (_outcome, _args, { clock }) => isoTimestamp(clock),
    }),
  }),
});

builder.mutationFields((t) => ({
  callTool: t.field({
    type: ToolResultType,
    extensions: permissionExtension('tools:call'),
    description:
      "Calls a tool of a server, once, guarded like every call, then polls the server. Only tools on the server's `allowTools` list, and only for viewers who see all of the server, performance and neural data included; FORBIDDEN otherwise, SERVER_UNAVAILABLE when the server does not answer.",
    args: {
      serverId: t.arg.id({ required: true, description: '`McpServer.id`' }),
      tool: t.arg.string({ required: true, description: 'Name of the tool, as in `McpServer.tools`.' }),
      arguments: t.arg({
        type: 'JSON',
        description:
          "The tool's arguments, an object; left out: none. At most 10,000 values, 32 levels, 65,536 characters a text, no control characters.",
      }),
    },
    resolve: async (_root, args, { upstreams, streams }) => {
      const { serverId, tool } = args;
      validateName('serverId', serverId);
      validateName('tool', tool);
      const result = await upstreams.callTool(serverId, tool, parseToolArguments('arguments', args.arguments), NEVER);
      streams.rateClock.triggerOnDemand();
      return { serverId, tool, ...result };
    },
  }),
  refreshDiscovery: t.field({
    type: DiscoveryRef,
    extensions: permissionExtension('agents:read'),
    description:
      'Polls all servers that the viewer sees, tries the unreachable ones again, and tells what was found. Once a second for each client.',
    resolve: async (_root, _args, { upstreams, candidates, clientId, limitToOncePerSecond }) => {
      await limitToOncePerSecond('refreshDiscovery', clientId);
      candidates.clear();
      await upstreams.refresh();
      return {};
    },
  }),
  requestAgentUpdate: t.field({
    type: AgentUpdateRequestType,
    extensions: permissionExtension('agents:read'),
    description: 'Polls servers now, then moves the ON_DEMAND streams. Once a second for each client.',
    args: {
      serverIds: t.arg.idList({
        description: 'Only these servers, each a `McpServer.id`; left out: all that the viewer sees.',
      }),
    },
    resolve: async (_root, { serverIds }, { upstreams, clientId, limitToOncePerSecond, rateClock }) => {
      validateNames('serverIds', serverIds);
      await limitToOncePerSecond('requestAgentUpdate', clientId);
      const outcome = await upstreams.pollNow(serverIds ?? null);
      rateClock.triggerOnDemand();
      return outcome;
    },
  }),
  authenticate: t.field({
    type: ViewerRef,
    extensions: permissionExtension(null),
    description:
      'Shows a new token on a WebSocket before the old one expires; its subscriptions go on. The new one has to give the same permissions and the same sight: FORBIDDEN otherwise. Over HTTP each request brings its own token.',
    args: {
      token: t.arg.string({ required: true, description: 'The bare token. Pass it as a variable.' }),
    },
    resolve: async (_root, { token }, { reauthenticate }) => {
      if (reauthenticate !== null) return await reauthenticate(token);
      throw new SwarmlensError(
        'BAD_USER_INPUT',
        'Over HTTP there is nothing to renew: send each request with its own "Authorization: Bearer <token>".',
      );
    },
  }),
}));

/** A tool call that was begun is finished, whether or not its caller still waits: nobody can undo half of it. */
const NEVER = new AbortController().signal;

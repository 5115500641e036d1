export const USAGE = `swarmlens – one live GraphQL endpoint over every agent swarm you run

  swarmlens serve      runs the server; without a configuration, against three simulated MCP servers
  swarmlens watch      draws a live table of agents and servers in this terminal
  swarmlens check      connects once to each server of a configuration and prints what it found
  swarmlens discover   looks for MCP servers in the usual places; starts none
  swarmlens token      makes, lists and revokes tokens for clients
  swarmlens tap        stands in for a stdio MCP server, so that a running swarmlens sees the session
  swarmlens simulate   one simulated MCP server
  swarmlens --version
  swarmlens --help

  swarmlens COMMAND --help says more of each.

Exit codes: 0 asked to stop, or done; 1 failed while running; 2 bad usage or configuration.
`;

/** What is said of each command when it is asked for. */
export const HELP: Readonly<Record<string, string>> = {
  serve: `swarmlens serve [--config FILE] [--port N] [--host H] [--workers N] [--demo] [--insecure-no-auth]

The server: GraphQL at /graphql, the playground at /, /healthz, /readyz and /metrics. Runs until it is asked to stop.

  --config FILE        the configuration: an .mcp.json, or one with more in it (see docs/configuration.md). Left out:
                       swarmlens.config.json of this directory or, where there is none, three simulated servers
  --port N             default 4000; 0: any free one
  --host H             default 127.0.0.1. Without authentication only this machine can be listened to
  --workers N          so many of them on one port, each in a process of its own; needs a Redis as "bus"
  --demo               the three simulated servers, whatever else there is
  --insecure-no-auth   lets everybody in who can reach it

Environment: SWARMLENS_CONFIG, PORT, HOST, LOG_LEVEL (silent, error, warn, info, debug), SWARMLENS_INSECURE_NO_AUTH (1),
OTEL_EXPORTER_OTLP_ENDPOINT (where traces are sent to). Flags beat the environment, the environment beats the file.

  swarmlens serve --config .mcp.json
`,
  watch: `swarmlens watch [--url URL] [--token T] [--type LIST] [--server-type LIST] [--swarm LIST] [--mode MODE] [--json]

Draws a live table of the agents and servers of a running swarmlens. Ctrl-C ends it. Where standard output is no terminal,
one line is printed for each agent that comes (+), changes (~) or goes (-).

  --url URL            default http://127.0.0.1:4000
  --token T            better in SWARMLENS_TOKEN: what stands here can be seen by everyone on this machine. It needs the
                       scope agents:read, and health:read for the servers
  --type LIST          only agents of these types: coder,tester
  --server-type LIST   only agents of these families: claude-flow, ruv-swarm, daa, custom
  --swarm LIST         only agents of these swarms, by id: flow:swarm-1
  --mode MODE          how often it moves: high (60 times a second), normal (10), low (1), on-demand
  --json               one JSON object a line for each update: {kind, timestamp, agents, removedAgentIds, staleServerIds}

Environment: SWARMLENS_TOKEN; NO_COLOR.
Exit codes: 0 asked to stop; 1 it cannot be reached, or does not let you in; 2 bad usage.

  swarmlens watch --server-type ruv-swarm --mode low
  swarmlens watch --json | jq -c '.agents[] | {id, status}'
`,
  check: `swarmlens check --config FILE [--json]

Validates a configuration, connects once to each server, polls it once, and prints what it found.

  --config FILE        the configuration, or SWARMLENS_CONFIG
  --json               a list of {id, type, name, version, transport, status, tools, agentCount, error}

Exit codes: 0 all servers answered; 1 some did not: see ERROR; 2 the configuration has mistakes, one line each.
`,
  discover: `swarmlens discover [--json] [--config FILE] [--host H]… [--port N]…

Looks for MCP servers in this directory's .mcp.json and on the usual ports of this machine (9500 to 9502, 3001, 3002), and
prints what it found. Starts nothing and sends no credentials.

  --config FILE        marks those that stand in it
  --host H, --port N   look there instead; may be given several times
  --json               a list of candidates

  swarmlens discover --port 3000 --port 3001
`,
  token: `swarmlens token create --scopes LIST [--server-types LIST] [--servers LIST] [--swarms LIST] [--agent-types LIST]
                       [--no-performance] [--no-neural] [--expires 30d] [--name NAME] [--file FILE]
swarmlens token list [--file FILE]
swarmlens token revoke ID [--file FILE]

Makes a token, prints it once, and adds its hash to the file; lists them; cuts one off, within a second, from a server that
runs as well. The configuration names the file: "swarmlens": {"auth": {"tokens": "swarmlens.tokens.json"}}.

  --scopes LIST        of agents:read, health:read, tools:call, servers:admin; lists are separated by commas
  --server-types, --servers, --swarms, --agent-types LIST
                       what it sees of the picture; left out: everything
  --no-performance, --no-neural
                       leaves these parts of agents out
  --expires 30d        or 12h, 15m; left out: it stays
  --file FILE          default swarmlens.tokens.json

  swarmlens token create --scopes agents:read,health:read --expires 30d --name "wall screen"
`,
  tap: `swarmlens tap --server NAME [--url URL] [--token T] -- COMMAND ARGS…

Stands in for a stdio MCP server in the configuration of another MCP client: starts COMMAND, passes everything through, and
lets the swarmlens at URL watch the same session under that name.

  --server NAME        as it is to be shown
  --url URL            default ws://127.0.0.1:4000
  --token T            better in SWARMLENS_TOKEN: what stands here can be seen by everyone on this machine

Exit codes: those of COMMAND; 126 or 127 when it cannot be started.

  swarmlens tap --server ruv-swarm -- npx ruv-swarm mcp start
`,
  simulate: `swarmlens simulate --type claude-flow|ruv-swarm|daa [--agents N] [--seed N] [--hz N]
                   [--transport stdio|http|tcp] [--port N]

One simulated MCP server, the same for the same seed. What it shows says that it is simulated.

  --agents N           at the start
  --seed N             another one: other agents, which do other things
  --hz N               steps a second; 0: it stands still
  --transport, --port  how it is reached; over http and tcp it prints its address
`,
};

/** A command line that makes no sense; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Overview of all commands. */
export const USAGE = `swarmlens – one live GraphQL endpoint over every agent swarm you run

  swarmlens serve      Run the server (without a configuration: with three simulated MCP servers)
  swarmlens init       Write a configuration file from the servers and coding agents of this machine
  swarmlens watch      Show a live table of agents and servers in this terminal
  swarmlens check      Connect once to each server of a configuration and print the result
  swarmlens discover   List MCP servers in .mcp.json and on well-known local ports, and coding agents
  swarmlens token      Create, list and revoke tokens for clients
  swarmlens tap        Proxy a stdio MCP server so that a running swarmlens can observe the session
  swarmlens observe    Serve what coding agents on this machine do over MCP
  swarmlens hooks      Print, install and uninstall hooks of coding agents that send events to observers
  swarmlens simulate   Run one simulated MCP server
  swarmlens --version
  swarmlens --help

Run swarmlens COMMAND --help for the flags of a command.

Exit codes: 0 stopped on request, or done; 1 failed while running; 2 invalid usage or configuration.
`;

/** Help of each command by its name. */
export const HELP: Readonly<Record<string, string>> = {
  serve: `swarmlens serve [--config FILE] [--port N] [--host H] [--workers N] [--demo] [--observe LIST]
                [--insecure-no-auth]

Runs the server until it is asked to stop: GraphQL at /graphql, the playground at /, and /healthz, /readyz and /metrics.

  --config FILE        Configuration: an .mcp.json, also with options of swarmlens (see docs/configuration.md)
                       (default: swarmlens.config.json in this directory, or else three simulated servers)
  --port N             Port to listen on (default: 4000; 0 picks a free port)
  --host H             Address to listen on (default: 127.0.0.1; others require authentication)
  --workers N          Number of worker processes on the port (default: 1; more require Redis as "bus")
  --demo               Run the three simulated servers instead of a configuration
  --observe LIST       Show these coding agents of this machine, with or without a configuration: claude-code,codex
  --insecure-no-auth   Accept every client without authentication

Environment: SWARMLENS_CONFIG, PORT, HOST, SWARMLENS_OBSERVE, LOG_LEVEL (silent, error, warn, info, debug),
SWARMLENS_INSECURE_NO_AUTH (1), OTEL_EXPORTER_OTLP_ENDPOINT (URL that receives traces). Flags override the environment,
which overrides the file.

  swarmlens serve --config .mcp.json
  swarmlens serve --observe claude-code,codex
`,
  watch: `swarmlens watch [--url URL] [--token T] [--type LIST] [--server-type LIST] [--swarm LIST] [--mode MODE] [--json]

Shows a live table of the agents of a running swarmlens: what each agent does now and since when, its tokens, cost, context
and server. Failing servers are listed above the agents. If standard output is not a terminal, or with TERM=dumb, prints one
line for each added (+), changed (~) or removed (-) agent.

Keys: arrows, j and k move; PgUp, PgDn, Home and End scroll; Enter shows details; / filters by text, f by status; s sorts;
r reverses; t shows the tree; v shows all servers; ? explains keys and marks; Esc goes back; Ctrl-Z suspends; q quits.

  --url URL            URL of swarmlens (default: http://127.0.0.1:4000)
  --token T            Token with the scope agents:read, and health:read for servers. Prefer SWARMLENS_TOKEN, because
                       other users of this machine can see the arguments of a process
  --type LIST          Only agents of these types: coder,tester
  --server-type LIST   Only agents of these server types: claude-flow, ruv-swarm, daa, claude-code, codex, custom
  --swarm LIST         Only agents of these swarms, by id: flow:swarm-1
  --mode MODE          Update rate: high (60 per second), normal (10), low (1) or on-demand (default: normal)
  --json               Print one JSON object per update: {kind, timestamp, agents, removedAgentIds, staleServerIds}

Environment: SWARMLENS_TOKEN; NO_COLOR (no colors); TERM (dumb: lines instead of a table).
Exit codes: 0 stopped on request; 1 swarmlens cannot be reached or denies access; 2 invalid usage.

  swarmlens watch --server-type ruv-swarm --mode low
  swarmlens watch --json | jq -c '.agents[] | {id, status}'
`,
  check: `swarmlens check --config FILE [--observe LIST] [--json]

Validates a configuration, connects to each server, polls it once, and prints the result.

  --config FILE        Configuration to check (default: SWARMLENS_CONFIG)
  --observe LIST       Check these observers, too: claude-code,codex
  --json               Print a list of {id, type, name, version, transport, status, tools, agentCount, error}

Exit codes: 0 all servers answered; 1 a server failed (see ERROR); 2 the configuration is invalid (one line per mistake).
`,
  init: `swarmlens init [--yes] [--host H]… [--port N]…

Writes swarmlens.config.json in this directory, with the MCP servers in .mcp.json and on well-known ports, and the coding
agents of this machine. Shows the file and asks before it is written. Never replaces a file. Secrets are not copied: the
file refers to environment variables, or a line says why a server is left out.

  --yes                Write the file without asking. Required without a terminal
  --host H, --port N   Host or port to probe instead of the well-known ones (repeatable)

Exit codes: 0 written or declined; 1 nothing found, or the file cannot be written; 2 the file exists, or invalid usage.
`,
  discover: `swarmlens discover [--json] [--config FILE] [--host H]… [--port N]…

Lists the MCP servers in this directory's .mcp.json and on well-known ports of this machine (9500 to 9502, 3001, 3002),
and the coding agents of this machine, which can be observed (Claude Code, Codex).
Starts no servers and sends no credentials.

  --config FILE        Mark the servers of this configuration
  --host H, --port N   Host or port to probe instead (repeatable)
  --json               Print a list of candidates

  swarmlens discover --port 3000 --port 3001
`,
  token: `swarmlens token create --scopes LIST [--server-types LIST] [--servers LIST] [--swarms LIST] [--agent-types LIST]
                       [--no-performance] [--no-neural] [--expires 30d] [--name NAME] [--file FILE]
swarmlens token list [--file FILE]
swarmlens token revoke ID [--file FILE]

create prints a new token once and adds its hash to the file. list shows the tokens of the file. revoke removes a token; a
running server rejects it within one second. To use the file, set "swarmlens": {"auth": {"tokens": "swarmlens.tokens.json"}}
in the configuration.

  --scopes LIST        Permissions, separated by commas: agents:read, health:read, tools:call, servers:admin
  --server-types, --servers, --swarms, --agent-types LIST
                       Restrict the token to these agents (default: all)
  --no-performance, --no-neural
                       Hide this data of agents from the token
  --expires 30d        Lifetime, such as 30d, 12h or 15m (default: unlimited)
  --name NAME          Name shown by list
  --file FILE          Token file (default: swarmlens.tokens.json)

  swarmlens token create --scopes agents:read,health:read --expires 30d --name "wall screen"
`,
  tap: `swarmlens tap --server NAME [--url URL] [--token T] [--key-file FILE] [--allow-tools LIST] -- COMMAND ARGS…

Proxies a stdio MCP server in the configuration of another MCP client: starts COMMAND, passes everything through, and lets
the swarmlens at URL observe the session. The session works unchanged without swarmlens.

On this machine, the tap and swarmlens prove to each other that they know the tap key, a file that the first of them creates
for its user: swarmlens/tap.key in XDG_STATE_HOME (default: ~/.local/state), or in %APPDATA% on Windows. Before that, the
tap sends no token and nothing about the session.

  --server NAME        Name under which swarmlens shows the server
  --url URL            URL of swarmlens (default: ws://127.0.0.1:4000)
  --token T            Token with the scope servers:admin. Prefer SWARMLENS_TOKEN, because other users of this machine can
                       see the arguments of a process
  --key-file FILE      Tap key (default: see above). Required for a URL beyond this machine without TLS
  --allow-tools LIST   Tools that swarmlens may call besides reading tools, separated by commas (default: none)

Environment: SWARMLENS_TOKEN; SWARMLENS_TAP_KEY_FILE (path of the tap key on this machine).
Exit codes: those of COMMAND; 126 or 127 if it cannot be started.

  swarmlens tap --server ruv-swarm -- npx ruv-swarm mcp start
`,
  observe: `swarmlens observe claude-code|codex [--port N] [--host H] [--hooks-port N|--no-hooks]
                               [--show-text none|titles|all] [--since 1d] [--root DIR] [--prices FILE]

Runs an MCP server that lists the sessions of a coding agent on this machine: their subagents, tools, waits, tokens and
tasks, from the files that the coding agent writes. Reads only files of this user and writes nothing to them.

  --port N             Serve streamable HTTP and print the URL (default: stdio; 0 picks a free port)
  --host H             Address to listen on with --port (default: 127.0.0.1; others require a token)
  --hooks-port N       Port on 127.0.0.1 for the events of hooks, which all observers of this user share (default: 4157)
  --no-hooks           Do not receive the events of hooks
  --show-text WHAT     Texts to show: none, titles (of sessions, agents and tasks) or all (also messages and what tools
                       work on) (default: none)
  --since 1d           Show sessions that are live or have changed within this time (default: 1d)
  --root DIR           Directory of the coding agent (default: CLAUDE_CONFIG_DIR or CODEX_HOME, or else ~/.claude or
                       ~/.codex)
  --prices FILE        JSON file with prices of models in US dollars per million tokens, besides the bundled list prices:
                       {"my-model": {"input": 2, "output": 10, "cacheRead": 0.2, "cacheWrite": 2.5}}

Environment: SWARMLENS_OBSERVE_TOKEN (token that HTTP clients and hooks must present); LOG_LEVEL.
The index in XDG_STATE_HOME/swarmlens (default: ~/.local/state/swarmlens) makes later starts faster.

  swarmlens observe claude-code --port 4100
`,
  hooks: `swarmlens hooks print claude-code|codex [--port N] [--token]
swarmlens hooks install claude-code [--user|--project] [--port N] [--token] [--yes]
swarmlens hooks uninstall claude-code [--user|--project] [--yes]

Hooks send the events of a coding agent to the observers on this machine, which then show permission waits, questions and
tool calls at once. print writes the hooks as JSON for the settings. install shows the difference and asks before it changes
the settings. uninstall removes exactly the hooks of swarmlens.

  --user               Settings of this user: settings.json in CLAUDE_CONFIG_DIR or ~/.claude (default)
  --project            Settings of the project: .claude/settings.json in this directory
  --port N             Port of the observers (default: 4157; see swarmlens observe --hooks-port)
  --token              Send the token in SWARMLENS_OBSERVE_TOKEN, which must be set where the coding agent runs
  --yes                Change the settings without asking; required without a terminal

Exit codes: 0 done, or nothing to do; 1 the settings cannot be changed; 2 invalid usage, or no terminal to ask.

  swarmlens hooks install claude-code
`,
  simulate: `swarmlens simulate --type claude-flow|ruv-swarm|daa [--agents N] [--seed N] [--hz N]
                   [--transport stdio|http|tcp] [--port N]

Runs one simulated MCP server. The same seed gives the same history. All its data is marked as simulated.

  --type TYPE          Server to simulate: claude-flow, ruv-swarm or daa
  --agents N           Number of agents (default: 20)
  --seed N             Seed of the simulation (default: 1)
  --hz N               Steps per second (default: 5; 0 freezes the simulation)
  --transport T        stdio, http or tcp (default: stdio; http and tcp print their URL)
  --port N             Port on 127.0.0.1 for http and tcp (default: 0, which picks a free port)
`,
};

/** An invalid command line. The message says what is expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

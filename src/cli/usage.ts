export const USAGE = `swarmlens – one live GraphQL endpoint over every agent swarm you run

  swarmlens serve [--config FILE] [--port N] [--host H] [--workers N] [--demo]
                  [--insecure-no-auth]
      The server. Without a configuration it runs against three simulated MCP servers. Without authentication it listens
      on loopback only, unless --insecure-no-auth lets everybody in who can reach it. With --workers it is N nodes on one port, each
      in a process of its own, which needs a Redis as "bus".
  swarmlens check --config FILE [--json]
      Validates a configuration, connects once to each server and prints what it found.
  swarmlens discover [--json] [--config FILE] [--host H]… [--port N]…
      Looks for MCP servers in this directory's .mcp.json and on the usual ports of this machine. Starts nothing.
  swarmlens token create --scopes LIST [--server-types LIST] [--servers LIST] [--swarms LIST] [--agent-types LIST]
                         [--no-performance] [--no-neural] [--expires 30d] [--name NAME] [--file FILE]
      Makes a token, prints it once, and adds its hash to the file. Scopes: agents:read, health:read, tools:call,
      servers:admin. Lists are separated by commas. The file is swarmlens.tokens.json unless it is named.
  swarmlens token list [--file FILE]
  swarmlens token revoke ID [--file FILE]
      What is revoked is cut off within a second, by a server that runs as well.
  swarmlens simulate --type claude-flow|ruv-swarm|daa [--agents N] [--seed N] [--hz N]
                     [--transport stdio|http|tcp] [--port N]
      One simulated MCP server.
  swarmlens tap --server NAME [--url URL] [--token T] -- COMMAND ARGS…
      Stands in for a stdio MCP server in the configuration of another MCP client: starts COMMAND, passes everything
      through, and lets the swarmlens at URL (ws://127.0.0.1:4000) watch the same session under that name.
  swarmlens --version
  swarmlens --help

Environment: SWARMLENS_CONFIG, PORT, HOST, LOG_LEVEL (silent, error, warn, info, debug),
SWARMLENS_INSECURE_NO_AUTH (1); SWARMLENS_TOKEN (of a tap; --token can be seen by everyone on this machine).
Exit codes: 0 asked to stop, 1 failed while running, 2 bad usage or configuration; tap: those of COMMAND,
126 or 127 when it cannot be started.
`;

/** A command line that makes no sense; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

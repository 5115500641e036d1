// What docs/configuration.md says of each key. Kinds, bounds and defaults come from the program itself.

/** By what they stand under. A key of the schema without words here, or the other way round, is an error. */
export const WORDS = {
  swarmlens: {
    port: 'where it listens; 0: any free port',
    host: 'the address that it listens on. Without `auth` only one of this machine is taken',
    bus: '`memory`, or the URL of a Redis that carries changes between nodes: `redis://[user:password@]host[:port][/db]`, `redis+sentinel://[:password@]host:port,host:port/master[/db]`, `redis+cluster://[:password@]host:port,host:port`, each also with `rediss` for TLS',
    busPrefix: 'what the names of all keys and channels in Redis begin with: nodes of one prefix are one swarmlens',
    leaseMs: 'how long the others wait for a node that watches a server and is not heard of',
    logLevel: 'JSON lines on standard error, from this level on',
    otlpEndpoint:
      'an OpenTelemetry collector that traces are sent to (OTLP over HTTP, JSON; `/v1/traces` is added). Left out, or without the environment variable: no traces',
    auth: 'who is let in: [below](#auth). Left out: everybody on this machine',
    limits: 'how much clients may ask for: [below](#limits)',
    trustedDocuments:
      'a manifest of the only documents that are run, relative to the configuration. Left out: all are run',
    heartbeatMs: 'between two polls of a server that nobody subscribes to',
    tombstones: 'removals that a client can resume over',
    shutdownMs:
      'how long the end may take: clients are asked to leave within half of it, and cut off after three quarters',
    removeAfterMs:
      'agents of a server that has been gone for so long are removed; `null`: they stay, marked `stale`, for ever',
    discovery: 'where servers are looked for that are not in the configuration: [below](#discovery)',
    compressFromBytes:
      'updates of at least so many bytes are compressed for clients that ask for it (`permessage-deflate`); `null`: none',
    maxBufferedBytes:
      'a client with more unsent bytes than that, or twice as many that it has not read, is skipped until they have gone, and then gets one conflated update',
    maxSlowMs:
      'a client that stays like that for longer is closed with 1013, to come back with its cursor; `null`: never',
  },
  discovery: {
    hosts: 'machines that are looked at',
    ports: 'ports that are looked at',
  },
  auth: {
    tokens: 'the file with the static tokens, relative to the configuration: see `swarmlens token --help`',
    jwt: 'JSON Web Tokens: [below](#authjwt)',
    origins: 'pages of these origins may use the server (CORS and WebSocket). Its own pages always may',
  },
  jwt: {
    issuer: 'what `iss` has to be',
    audience: 'what `aud` has to be, or one of these',
    algorithms: 'the only ones that are let in: `HS…` with `secret`, the others with `publicKey` or `jwksUrl`',
    secret: 'one of these three is needed; at least as long as the hash, so 32 bytes for HS256; best as `${VAR}`',
    publicKey: 'PEM, or the path of a file with it',
    jwksUrl: 'where the issuer has its keys; a new key id is looked for at most every 30 seconds',
    scopeClaim: 'the claim with the scopes, text or a list. Left out: `scope`, or else `permissions`',
    clockToleranceSeconds: 'how far the issuer’s clock may be from this one',
  },
  limits: {
    maxConnections: 'connections of any kind; above: 503, and a WebSocket is closed with 1013',
    maxConnectionsPerAddress:
      'of one address (of IPv6: one /64); behind a proxy, everybody has the proxy’s. Above: 429, and a WebSocket is closed with 1013',
    maxConnectionsPerViewer: 'WebSockets of one viewer; above: closed with 1013',
    maxRequestsPerSecond:
      'operations over HTTP, and scrapes of `/metrics`, of one viewer; above: 429, `RATE_LIMITED` and `retryAfterMs`',
    maxHeaderBytes: 'headers of a request, its URL included; above: 431',
    headersTimeoutMs: 'until the headers have come, of an upgrade too; afterwards: 408',
    requestTimeoutMs: 'until all of a request has come; afterwards: 408',
    maxBodyBytes: 'body of a request; above: 413, `LIMIT_EXCEEDED`',
    connectionInitTimeoutMs: 'until `connection_init`; afterwards: closed with 4408',
    maxMessageBytes: 'one WebSocket message; above: closed with 1009',
    maxMessageFragments: 'frames that one message comes in; above: closed with 1008',
    maxMessagesPerSecond:
      'messages of one WebSocket; what is not used is saved up for five seconds. Above: closed with 1013',
    maxOperationsPerSocket: 'operations that run at a time on one WebSocket; above: `LIMIT_EXCEEDED`',
    maxSubscriptionsPerSocket: 'subscriptions among them; above: `LIMIT_EXCEEDED`',
    maxSubscriptionsPerViewer: 'subscriptions of one viewer, over WebSocket and SSE; above: `LIMIT_EXCEEDED`',
    maxDocumentBytes: 'text of an operation; above: `LIMIT_EXCEEDED`',
    maxDocumentTokens: 'its words and signs; above: `LIMIT_EXCEEDED`',
    maxDepth: 'levels of fields; above: `LIMIT_EXCEEDED`',
    maxAliases: 'aliases; above: `LIMIT_EXCEEDED`',
    maxDirectives: 'directives; above: `LIMIT_EXCEEDED`',
    maxDuplicateFields: 'times that one field stands in one place, fragments included; above: `LIMIT_EXCEEDED`',
    maxCost: 'cost: 1 for a field, 2 for one with fields of its own, times 1.5 a level; above: `LIMIT_EXCEEDED`',
    maxVariablesBytes: 'variables; above: `LIMIT_EXCEEDED`',
    maxVariablesDepth: 'levels of lists and objects in them; above: `LIMIT_EXCEEDED`',
    introspection: 'whether the schema can be asked for; otherwise: `FORBIDDEN`',
    graphiql: 'whether browsers get GraphiQL; otherwise: 404',
  },
  stdio: {
    type: 'need not be said',
    command: 'the program to start',
    args: 'what is passed to it',
    cwd: 'where it is started, relative to the configuration',
    env: 'environment variables beside HOME, LOGNAME, PATH, SHELL, TERM and USER',
  },
  http: {
    type: '`http`: MCP streamable HTTP, and need not be said; `sse`: the older HTTP with an event stream',
    url: 'the endpoint, with `http://` or `https://`',
    headers: 'sent with each request',
  },
  ws: {
    type: 'need not be said',
    url: 'the endpoint, with `ws://` or `wss://`',
    headers: 'of the request that opens it',
  },
  tcp: {
    type: 'need not be said',
    host: 'the machine',
    port: 'JSON-RPC over a socket, line by line',
    token: 'where the server wants one before it is greeted',
  },
  server: {
    serverType: 'its family. Left out: found out from its name and tools',
    maxPollHz: 'it is never polled more often, however much is wanted. With a `mapping`, the default is 10',
    allowTools: 'tools that clients may call through `callTool`',
    timeoutMs: 'of one call, all its tries together',
    connectTimeoutMs: 'of starting and greeting it; `npx` may have to install first',
    mapping: 'how to read other servers: see [Mapping of other servers](servers.md#mapping-of-other-servers)',
    maxPollShare:
      'share of the server’s time that polls may take at most: one that answers slowly is polled less often',
    replicas: 'more endpoints of the same server, each an entry as under `mcpServers` without a `swarmlens` of its own',
    sticky:
      '`true`: all calls go to one replica until it fails; `false`: they are shared out. Left out: as the family has it',
    breaker: 'when the circuit breaker of an endpoint opens: [below](#breaker)',
    restart: 'how a lost endpoint is connected, or started, again: [below](#restart)',
  },
  breaker: {
    failures: 'calls in a row that fail until it opens',
    initialMs: 'how long it stays open at first; doubles with each probe that fails',
    maxMs: 'how long it stays open at most',
  },
  restart: {
    initialMs: 'pause after the first attempt that led to nothing; doubles with each further one, half of it by chance',
    maxMs: 'the longest pause',
    maxAttempts: 'starts in a row that lead to nothing until a command is given up; `null`: never',
  },
};

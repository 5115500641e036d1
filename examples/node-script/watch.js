// Prints the number of agents whenever it changes, until the script is interrupted.
// Usage: node watch.js [URL]   URL: address of swarmlens (default: http://127.0.0.1:4000)
// Environment: SWARMLENS_TOKEN, if the server requires a token
import { createSwarmClient } from '@swarmlens/client';
import { WebSocket } from 'ws'; // only needed before Node.js 22

const { SWARMLENS_TOKEN: token } = process.env;
const abort = new AbortController();
process.once('SIGINT', () => abort.abort());

const client = createSwarmClient({
  url: process.argv[2] ?? 'http://127.0.0.1:4000',
  webSocketImpl: WebSocket,
  signal: abort.signal,
  ...(token !== undefined && { token }),
});

client.connection.subscribe(() => {
  const { status, reason } = client.connection.getSnapshot();
  if (status === 'RECONNECTING' && reason !== null) console.error(`reconnecting: ${reason}`);
});

let printed = '';
for await (const { snapshot } of client.agents({}, 'NORMAL')) {
  const stale = snapshot.staleServerIds.length === 0 ? '' : `, no answer from ${snapshot.staleServerIds.join(', ')}`;
  const busy = [...snapshot.agents.values()].filter(({ status }) => status === 'ACTIVE' || status === 'BUSY').length;
  const line = `${snapshot.agents.size} agents, ${busy} busy${stale}`;
  if (line !== printed) console.log(line);
  printed = line;
}

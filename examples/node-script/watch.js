// Prints how many agents there are whenever that changes, until it is interrupted.
//
//   node watch.js [http://127.0.0.1:4000]      SWARMLENS_TOKEN, where the server wants one
import { createSwarmClient } from '@swarmlens/client';
import { WebSocket } from 'ws'; // only before Node.js 22

const { SWARMLENS_TOKEN: token } = process.env;
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());

const client = createSwarmClient({
  url: process.argv[2] ?? 'http://127.0.0.1:4000',
  webSocketImpl: WebSocket,
  signal: interrupted.signal,
  ...(token !== undefined && { token }),
});

client.connection.subscribe(() => {
  const { status, reason } = client.connection.getSnapshot();
  if (status === 'RECONNECTING' && reason !== null) console.error(`trying again: ${reason}`);
});

let printed = '';
for await (const { snapshot } of client.agents({}, 'NORMAL')) {
  const stale = snapshot.staleServerIds.length === 0 ? '' : `, no answer from ${snapshot.staleServerIds.join(', ')}`;
  const busy = [...snapshot.agents.values()].filter(({ status }) => status === 'ACTIVE' || status === 'BUSY').length;
  const line = `${snapshot.agents.size} agents, ${busy} at work${stale}`;
  if (line !== printed) console.log(line);
  printed = line;
}

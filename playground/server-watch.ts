import type { Client } from 'graphql-ws/client';
import { HealthChangesDocument, type McpServerFragment, run, ServersDocument } from '../src/client/index.js';
import { ask } from './ask.js';

const LOOK_AGAIN_MS = 2_000;

/** Tells of the servers now and then, and at once when one of them changes its state. */
export function watchServers(
  client: Client,
  onServers: (servers: readonly McpServerFragment[]) => void,
  onProblem: (error: unknown) => void,
): void {
  let asking = false;
  const look = (): void => {
    if (asking || document.hidden) return;
    asking = true;
    ask(client, ServersDocument, {})
      .then(({ servers }) => onServers(servers))
      .catch(onProblem)
      .finally(() => {
        asking = false;
      });
  };
  const followHealth = async (): Promise<void> => {
    for await (const _change of run(client, HealthChangesDocument)) look();
  };
  followHealth().catch(onProblem);
  setInterval(look, LOOK_AGAIN_MS);
  document.addEventListener('visibilitychange', look);
  look();
}

import { test } from 'vitest';
import { Fleet } from './fleet.js';
import { request } from '../support/app.js';
test('x', {timeout: 30000}, async () => {
  await using fleet = await Fleet.start({ hz: 2 });
  await fleet.join(1, 'HIGH_FREQUENCY');
  const t0 = performance.now();
  for (let i = 0; i < 8; i++) {
    await new Promise((r) => setTimeout(r, 1000));
    const c = fleet.servers.map(({callers}) => callers.length);
    console.log((performance.now() - t0).toFixed(0), c.join(), fleet.clients[0]!.updates);
    for (const node of fleet.nodes) console.log(JSON.stringify(await request(node, '{ servers { id polling { wantedHz effectiveHz } } }')));
  }
});

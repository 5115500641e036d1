// Mercurius on Fastify with its own pub/sub.
import websocket from '@fastify/websocket';
import fastify from 'fastify';
import mercurius from 'mercurius';
import { createResolvers, prepend, typeDefs } from './plain-schema.js';
import { createUpdateFactory } from './update.js';

export async function startMercurius({ state, filters, hz, compressed }) {
  const createUpdate = createUpdateFactory(state, { filters, hz });
  const resolvers = createResolvers(async (_root, _args, { pubsub }) =>
    prepend(createUpdate('SNAPSHOT', state.agents), await pubsub.subscribe('agents')),
  );
  const app = fastify({ logger: false });
  // Mercurius uses a registered plugin, which is the only way to set options of `ws`.
  await app.register(websocket, { options: { maxPayload: 1_048_576, perMessageDeflate: compressed } });
  await app.register(mercurius, { schema: typeDefs, resolvers, subscription: true });
  await app.listen({ port: 0, host: '127.0.0.1' });
  state.onChange = (agents) => {
    app.graphql.pubsub.publish({ topic: 'agents', payload: createUpdate('DELTA', agents) });
  };
  return app.server.address().port;
}

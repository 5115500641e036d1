// Mercurius on Fastify with its own publish and subscribe.
import websocket from '@fastify/websocket';
import fastify from 'fastify';
import mercurius from 'mercurius';
import { resolversWith, startingWith, typeDefs } from './plain-schema.js';
import { updateMaker } from './update.js';

export async function startMercurius({ picture, filters, hz, compressed }) {
  const updateOf = updateMaker(picture, { filters, hz });
  const resolvers = resolversWith(async (_root, _args, { pubsub }) =>
    startingWith(updateOf('SNAPSHOT', picture.agents), await pubsub.subscribe('agents')),
  );
  const app = fastify({ logger: false });
  // Mercurius takes the one that is there, which is the only way to set options of `ws`.
  await app.register(websocket, { options: { maxPayload: 1_048_576, perMessageDeflate: compressed } });
  await app.register(mercurius, { schema: typeDefs, resolvers, subscription: true });
  await app.listen({ port: 0, host: '127.0.0.1' });
  picture.onChange = (agents) => {
    app.graphql.pubsub.publish({ topic: 'agents', payload: updateOf('DELTA', agents) });
  };
  return app.server.address().port;
}

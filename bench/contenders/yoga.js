// graphql-yoga and graphql-ws, wired as their documentation says, with graphql-yoga's own publish and subscribe.
import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { resolversWith, startingWith, typeDefs } from './plain-schema.js';
import { updateMaker } from './update.js';

export async function startYoga({ picture, filters, hz, compressed }) {
  const updateOf = updateMaker(picture, { filters, hz });
  const pubSub = createPubSub();
  const resolvers = resolversWith(() => startingWith(updateOf('SNAPSHOT', picture.agents), pubSub.subscribe('agents')));
  const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: false });
  const http = createServer(yoga);
  const sockets = new WebSocketServer({ server: http, path: '/graphql', perMessageDeflate: compressed });
  useServer(
    {
      execute: (args) => args.rootValue.execute(args),
      subscribe: (args) => args.rootValue.subscribe(args),
      onSubscribe: async (ctx, _id, params) => {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...ctx,
          req: ctx.extra.request,
          socket: ctx.extra.socket,
          params,
        });
        const args = {
          schema,
          operationName: params.operationName,
          document: parse(params.query),
          variableValues: params.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        };
        const errors = validate(args.schema, args.document);
        return errors.length > 0 ? errors : args;
      },
    },
    sockets,
  );
  picture.onChange = (agents) => pubSub.publish('agents', updateOf('DELTA', agents));
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return http.address().port;
}

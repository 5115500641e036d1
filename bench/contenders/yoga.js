// graphql-yoga and graphql-ws, connected as documented, with the pub/sub of graphql-yoga.
import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { createResolvers, prepend, typeDefs } from './plain-schema.js';
import { createUpdateFactory } from './update.js';

export async function startYoga({ state, filters, hz, compressed }) {
  const createUpdate = createUpdateFactory(state, { filters, hz });
  const pubSub = createPubSub();
  const resolvers = createResolvers(() => prepend(createUpdate('SNAPSHOT', state.agents), pubSub.subscribe('agents')));
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
  state.onChange = (agents) => pubSub.publish('agents', createUpdate('DELTA', agents));
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return http.address().port;
}

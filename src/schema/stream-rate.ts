import type { StreamRate } from '../delivery/index.js';
import { builder } from './builder.js';

export const StreamRateRef = builder.objectRef<StreamRate>('StreamRate').implement({
  description: 'Update rate of a stream.',
  fields: (t) => ({
    requestedHz: t.exposeFloat('requestedHz', {
      description:
        'Requested updates per second: the rate of the mode, limited by `maxHz` of the connection. 0 for ON_DEMAND.',
    }),
    effectiveHz: t.exposeFloat('effectiveHz', {
      description: 'Updates per second that the client and the server keep up with, as mean of the last updates.',
    }),
  }),
});

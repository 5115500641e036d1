import { serve, text, tools } from './serve.js';

// Rejects unknown methods, as claude-flow does.
const authenticate = () => {
  throw { code: -32601, message: 'Method not found' };
};

serve({ ...tools({ echo: (args) => text(args) }), authenticate });

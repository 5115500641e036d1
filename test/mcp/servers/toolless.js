// Has no tools and no tools capability. Listing the tools is an error.
import { serve } from './serve.js';

serve({
  initialize: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'toolless', version: '1' } },
  'tools/list': () => {
    throw { code: -32601, message: 'Method not found' };
  },
});

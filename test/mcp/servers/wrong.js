// Answers the handshake with what is no answer to it.
import { serve } from './serve.js';

serve({ initialize: { hello: 'world' } });

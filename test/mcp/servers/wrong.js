// Answers initialize with an invalid result.
import { serve } from './serve.js';

serve({ initialize: { hello: 'world' } });

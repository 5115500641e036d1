// Sends a message of more than 10 MB, and then stays.
import { serve, text, tools } from './serve.js';

serve(tools({ flood: () => text('x'.repeat(11 * 1024 * 1024)), large: () => text('x'.repeat(9 * 1024 * 1024)) }));

import type { IncomingMessage, ServerResponse } from 'node:http';

export function createPlaygroundHandler(
  _directory: string,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return () => false;
}

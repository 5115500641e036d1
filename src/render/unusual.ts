/** Something that only graphql itself can answer: an error to locate, a promise to wait for. */
export class NotCompilableError extends Error {
  constructor(what: string) {
    super(`not rendered directly: ${what}`);
    this.name = 'UnusualError';
  }
}

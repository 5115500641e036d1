/** Reads `aborted` anew. A function, because the compiler narrows the property for good after a check. */
export function isAborted(signal: AbortSignal | null): boolean {
  return signal?.aborted === true;
}

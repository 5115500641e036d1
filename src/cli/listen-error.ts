/** What to do about an address that cannot be listened on; `null` when it is another error. */
export function explainListenError(error: unknown): string | null {
  if (!(error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'code' in error)) return null;
  if (error.code === 'EADDRINUSE') {
    return 'is in use: end the program that listens there, or pass another --port';
  }
  if (error.code === 'EACCES') return 'may not be listened on by this user: pass a --port above 1023';
  if (error.code === 'EADDRNOTAVAIL') return 'is no address of this machine: pass --host 127.0.0.1';
  return null;
}

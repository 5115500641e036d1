/** Explains why an address cannot be bound, and what to do. Returns null for any other error. */
export function explainListenError(error: unknown): string | null {
  if (!(error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'code' in error)) return null;
  if (error.code === 'EADDRINUSE') {
    return 'is already in use. Stop the other program or choose another --port.';
  }
  if (error.code === 'EACCES') return 'requires more privileges. Choose a --port above 1023.';
  if (error.code === 'EADDRNOTAVAIL') return 'is not an address of this machine. Choose --host 127.0.0.1.';
  return null;
}

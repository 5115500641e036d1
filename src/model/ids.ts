/** Global ids are `<serverId>:<nativeId>`: a server's id holds no colon, a native id may. */
export function globalId(serverId: string, nativeId: string): string {
  return `${serverId}:${nativeId}`;
}

/** The server's part of a global id, or `null` when the id is not one. */
export function parseServerId(id: string): string | null {
  const colon = id.indexOf(':');
  return colon > 0 ? id.slice(0, colon) : null;
}

/** A server's id is the first part of global ids, which a colon ends. */
export function isServerName(text: string): boolean {
  return /^[^:\p{Cc}]{1,64}$/u.test(text);
}

/** Returns the global id `<serverId>:<nativeId>`. Server ids contain no colon; native ids may. */
export function globalId(serverId: string, nativeId: string): string {
  return `${serverId}:${nativeId}`;
}

/** Returns the server id of a global id. Null if the text is not a global id. */
export function parseServerId(id: string): string | null {
  const colon = id.indexOf(':');
  return colon > 0 ? id.slice(0, colon) : null;
}

/** Returns whether a text is a valid server id: 1 to 64 characters without colons and control characters. */
export function isServerName(text: string): boolean {
  return /^[^:\p{Cc}]{1,64}$/u.test(text);
}

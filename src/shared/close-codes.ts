/** Close code for a node that shuts down. Clients reconnect immediately. */
export const CLOSE_GOING_AWAY = 1001;

/** Close code of a connection that ended without a close frame. Never sent. */
export const CLOSE_ABNORMAL = 1006;

/** Close code for a service restart. Clients reconnect after a delay. */
export const CLOSE_SERVICE_RESTART = 1012;

/** Close code for overload. Clients reconnect after a delay. */
export const CLOSE_TRY_AGAIN_LATER = 1013;

/** Close code for missing, expired or insufficient permissions. Clients do not reconnect. */
export const CLOSE_FORBIDDEN = 4403;

/** Maximum length of a close reason in UTF-8 bytes (RFC 6455). */
export const MAX_CLOSE_REASON_BYTES = 123;

/** Shortens a close reason to the maximum length, without cutting a character in two. */
export function truncateCloseReason(reason: string): string {
  const bytes = Buffer.from(reason.slice(0, MAX_CLOSE_REASON_BYTES + 1));
  if (bytes.length <= MAX_CLOSE_REASON_BYTES) return reason;
  let end = MAX_CLOSE_REASON_BYTES;
  // Bytes from 0x80 to 0xBF continue a character.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

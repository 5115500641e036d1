/** A server's id is the first part of global ids, which a colon ends. */
export function isServerName(text: string): boolean {
  return /^[^:\p{Cc}]{1,64}$/u.test(text);
}

/** Returns the lines to print once `/readyz` answers with 200. */
export function formatReadyLines(url: string, suffix = ''): string {
  return `swarmlens is ready at ${url}/graphql${suffix}\nOpen ${url}/ in a browser to see the live graph.\n`;
}

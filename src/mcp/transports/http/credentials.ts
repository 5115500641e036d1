interface Address {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** `fetch` takes no credentials in a URL, and errors repeat them: they go into a header. */
export function extractCredentials(endpoint: Address): { readonly url: URL; readonly headers: Record<string, string> } {
  const url = new URL(endpoint.url);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return { url, headers: { ...(credentials === ':' ? {} : { authorization }), ...endpoint.headers } };
}

interface UrlWithHeaders {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Moves credentials from a URL into a header. `fetch` rejects URLs with credentials, and error messages repeat them. */
export function extractCredentials(endpoint: UrlWithHeaders): {
  readonly url: URL;
  readonly headers: Record<string, string>;
} {
  const url = new URL(endpoint.url);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return { url, headers: { ...(credentials === ':' ? {} : { authorization }), ...endpoint.headers } };
}

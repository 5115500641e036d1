import {
  canBeSecret,
  isOrdinaryName,
  isSecretName,
  isSecretUrlPart,
  isSecretValue,
  looksGenerated,
} from './secret-values.js';

/** Maximum nesting of a configuration, and of JSON in a variable. */
const MAX_DEPTH = 16;
/** Minimum length of a line of a secret with several lines. Programs print the lines one by one. */
const MIN_LINE_LENGTH = 8;
/** Keys whose entries are named by the user, so that values of ordinary names count as well. */
const NAMED_BY_USER: ReadonlySet<string> = new Set([
  'env',
  'environment',
  'envs',
  'headers',
  'httpHeaders',
  'http_headers',
  'variables',
]);
/** Keys of URLs, also of invalid ones. */
const URL_KEY = /(?:url|endpoint|bus)$/i;
/** Keys without secrets, although their names or values look like it: `tokens` is the path of a file. */
const IGNORED: ReadonlySet<string> = new Set([
  'mapping',
  'reason',
  'tapMappings',
  'tokens',
  'trustedDocuments',
  'warnings',
]);
/** `name=value`, `name: value` or `--name=value` as a whole. */
const ASSIGNMENT = /^-{0,2}([\w.-]{1,64})(?:=|: *)(\S.*)$/s;
/** Word that names the next one: `--name`, `name:` or the scheme of credentials. */
const LABEL = /^(?:--?([\w-]{1,64})|([\w-]{1,64}):|(bearer|basic))$/i;

/**
 * Returns the secrets of a configuration, which no output may contain. `docs/decisions/0021-sanitizing.md` describes the rules.
 * @param config Configuration, or a file before its validation.
 */
export function collectSecrets(config: unknown): ReadonlySet<string> {
  const collector = new SecretCollector();
  collector.visit(config, '', 0);
  return collector.secrets;
}

class SecretCollector {
  readonly secrets = new Set<string>();

  /** @param key Key of the value; in a list, that of the list. */
  visit(value: unknown, key: string, depth: number): void {
    if (depth > MAX_DEPTH || IGNORED.has(key)) return;
    if (typeof value === 'string') {
      if (isSecretName(key)) this.#addValueOf(key, value);
      else if (key === 'command' || key === 'args') this.#addParts(value, true);
      else if (URL_KEY.test(key) || value.includes('://')) this.#addUrl(value);
    } else if (Array.isArray(value)) {
      const entries: readonly unknown[] = value;
      if (key === 'args') this.#addArguments(entries.filter((entry) => typeof entry === 'string'));
      else for (const entry of entries) this.visit(entry, key, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
      for (const [name, entry] of entries) {
        if (NAMED_BY_USER.has(key) && typeof entry === 'string') this.#addNamed(String(name), entry, key);
        else this.visit(entry, String(name), depth + 1);
      }
    }
  }

  #addNamed(name: string, value: string, source: string): void {
    if (isSecretName(name)) this.#addValueOf(name, value);
    else if (isOrdinaryName(name)) this.#addParts(value, false);
    else {
      if (isSecretValue(value.trim(), source === 'variables')) this.secrets.add(value.trim());
      this.#addParts(value, true);
    }
  }

  /** Adds the value of a secret name, and its parts. */
  #addValueOf(name: string, value: string): void {
    const text = value.trim();
    if (!canBeSecret(name, text)) return;
    this.secrets.add(text);
    const [, scheme = '', credentials = ''] = /^([A-Za-z][\w-]*) +(\S.*)$/s.exec(text) ?? [];
    if (scheme.toLowerCase() === 'basic') this.#addPair(Buffer.from(credentials, 'base64').toString());
    else if (credentials !== '') this.secrets.add(credentials);
    for (const line of text.split(/[\r\n]+/)) {
      if (line.length >= MIN_LINE_LENGTH && !line.startsWith('-----')) this.secrets.add(line.trim());
    }
    if (/^[[{]/.test(text)) this.#addJson(text, name);
    this.#addParts(text, true);
  }

  /** Adds the entries of JSON in a secret value. */
  #addJson(text: string, name: string): void {
    const add = (value: unknown, depth: number): void => {
      if (typeof value === 'string') this.#addValueOf(name, value);
      else if (typeof value === 'object' && value !== null && depth < MAX_DEPTH) {
        for (const entry of Object.values(value)) add(entry, depth + 1);
      }
    };
    try {
      add(JSON.parse(text), 0);
    } catch {
      // The text is not JSON.
    }
  }

  /** Adds `user:password`, the password, and the credentials of a `Basic` header. */
  #addPair(pair: string): void {
    this.secrets.add(pair.slice(pair.indexOf(':') + 1));
    this.secrets.add(pair);
    this.secrets.add(Buffer.from(pair).toString('base64'));
  }

  #addArguments(args: readonly string[]): void {
    for (const [index, argument] of args.entries()) {
      const label = argument.startsWith('-') ? '' : labelIn(args[index - 1]);
      if (isSecretName(label)) this.#addValueOf(label, argument);
      else this.#addParts(argument, !isOrdinaryName(label));
    }
  }

  /**
   * Adds the secrets within a text: credentials of URLs, values of assignments and flags, and generated words.
   * @param includesGenerated Whether generated words count, which they do not as the value of `SWARM_ID`.
   */
  #addParts(text: string, includesGenerated: boolean): void {
    this.#addAssignment(text);
    if (URL.canParse(text)) this.#addUrl(text);
    const words = text.split(/[\s"'`;,]+/).filter((word) => word !== '');
    for (const [index, word] of words.entries()) {
      const label = word.startsWith('-') ? '' : labelIn(words[index - 1]);
      if (isSecretName(label)) this.#addValueOf(label, word);
      else if (word.includes('://')) this.#addUrl(word);
      else {
        for (const part of word.split(/[?&]+/)) this.#addAssignment(part);
        if (includesGenerated && !isOrdinaryName(label) && looksGenerated(word)) this.secrets.add(word);
      }
    }
  }

  #addAssignment(text: string): void {
    const [, name = '', value = ''] = ASSIGNMENT.exec(text) ?? [];
    if (isSecretName(name)) this.#addValueOf(name, value);
    else if (value !== '' && !isOrdinaryName(name) && looksGenerated(value)) this.secrets.add(value);
  }

  #addUrl(text: string): void {
    const parsed = URL.canParse(text) ? new URL(text) : null;
    const url = parsed?.host === '' ? null : parsed;
    // Greedy, because the password of an invalid URL may contain an @ or a slash.
    const [, userInfo = ''] = url === null ? (/^(?:[\w+.-]*:\/{1,3})?(.*)@/s.exec(text) ?? []) : [];
    this.#addCredentials(...(url === null ? splitUserInfo(userInfo) : ([url.username, url.password] as const)));
    if (url === null) {
      for (const part of text.split(/[/?&=#@:]+/)) if (isSecretUrlPart(part)) this.secrets.add(part);
      return;
    }
    // As written, because a URL has its host in lower case.
    const [, host = ''] = /:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(text) ?? [];
    for (const label of host.split(/[.:]/)) if (looksGenerated(label)) this.secrets.add(label);
    const segments = url.pathname.split('/').map(decode);
    for (const [index, segment] of segments.entries()) {
      const isNamed = isSecretName(segments[index - 1] ?? '') && isSecretValue(segment, true);
      if (isNamed || isSecretUrlPart(segment)) this.secrets.add(segment);
    }
    for (const [name, value] of [...url.searchParams, ['', decode(url.hash.slice(1))] as const]) {
      if (isSecretName(name)) this.#addValueOf(name, value);
      else if (isSecretUrlPart(value)) this.secrets.add(value);
    }
  }

  #addCredentials(username: string, password: string): void {
    const user = decode(username);
    // A user name without a password is usually a token.
    if (password === '' || isSecretValue(user, true)) this.secrets.add(user);
    if (password === '') return;
    this.secrets.add(password);
    this.#addPair(`${user}:${decode(password)}`);
  }
}

/** Returns the name that a word gives to the next one. Empty if it gives none. */
function labelIn(word: string | undefined): string {
  const [, flag, name, scheme] = LABEL.exec(word ?? '') ?? [];
  return flag ?? name ?? (scheme === undefined ? '' : 'bearer');
}

function splitUserInfo(userInfo: string): readonly [username: string, password: string] {
  const colon = userInfo.indexOf(':');
  return colon < 0 ? [userInfo, ''] : [userInfo.slice(0, colon), userInfo.slice(colon + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Body of all invented secrets. They are assembled at run time so that no file of this project contains text that looks
 * like a real secret.
 */
const BODY = 'q7Xw2Lm9Rt4Vb8Nc3Kd6Fg1Hj5Pz0Sy7Ae2Bu9Cv4';
const part = (length: number): string => BODY.slice(0, length);
const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** Secrets that are recognized by their form in any context. */
export const SECRETS: Readonly<Record<string, string>> = {
  'AWS key id': ['AK', 'IA', part(40).toUpperCase().slice(0, 16)].join(''),
  'AWS temporary key id': ['AS', 'IA', part(40).toUpperCase().slice(4, 20)].join(''),
  'GitHub token': ['gh', 'p_', part(36)].join(''),
  'GitHub fine-grained token': ['github', '_pat_', part(22), '_', part(40)].join(''),
  'GitLab token': ['gl', 'pat-', part(20)].join(''),
  'Slack token': ['xo', 'xb-1234567890-', part(24)].join(''),
  'Slack app token': ['xa', 'pp-1-A0-', part(24)].join(''),
  'OpenAI key': ['s', 'k-', part(40)].join(''),
  'OpenAI project key': ['s', 'k-proj-', part(40)].join(''),
  'Anthropic key': ['s', 'k-ant-api03-', part(40), '-', part(20)].join(''),
  'Google key': ['AI', 'za', part(35)].join(''),
  'Stripe key': ['s', 'k_live_', part(24)].join(''),
  'Stripe webhook secret': ['wh', 'sec_', part(32)].join(''),
  'npm token': ['np', 'm_', part(36)].join(''),
  'JSON Web Token': [base64url('{"alg":"HS256"}'), base64url('{"sub":"somebody","iat":1}'), part(43)].join('.'),
  'private key': [
    '-----BEGIN RSA PRI',
    'VATE KEY-----\nMII',
    part(40),
    '\n',
    part(30),
    '==\n-----END RSA PRI',
    'VATE KEY-----',
  ].join(''),
  'private key cut short': ['-----BEGIN PRI', 'VATE KEY-----\n', part(40), '\n', part(36)].join(''),
};

/** Password that is recognized only by the text before it. */
export const PASSWORD = ['hunter', 'two', 'Zq81'].join('-');

/** Texts that contain `PASSWORD` in a context that identifies it as a secret. */
export const TEXTS_WITH_PASSWORD: readonly string[] = [
  `password=${PASSWORD}`,
  `password = ${PASSWORD}`,
  `DB_PASSWORD: ${PASSWORD}`,
  `passwd:${PASSWORD}, and more`,
  `{"password": "${PASSWORD}"}`,
  `{'apiKey': 'with spaces ${PASSWORD}'}`,
  `"client_secret":"\\"${PASSWORD}"`,
  JSON.stringify({ error: JSON.stringify({ secretKey: `a "quoted" ${PASSWORD}` }) }),
  `access_token=${PASSWORD}&expires_in=3600`,
  `https://example.test/?api_key=${PASSWORD}&page=2`,
  `X-Api-Key: ${PASSWORD}`,
  `Authorization: Bearer ${PASSWORD}`,
  `authorization: Token ${PASSWORD}`,
  `Cookie: theme=dark; sid=${PASSWORD}`,
  `Set-Cookie: sid=${PASSWORD}; Path=/`,
  `postgres://swarm:${PASSWORD}@db.example.test:5432/agents`,
  `redis://:${PASSWORD}@127.0.0.1`,
  `mongodb+srv://swarm:p@ss${PASSWORD}@example.test`,
  `Basic ${Buffer.from(`somebody:${PASSWORD}`).toString('base64')}`,
  `aws_secret_access_key = ${PASSWORD}`,
  `password => "${PASSWORD}"`,
  `AccountName=x;AccountKey=${PASSWORD};EndpointSuffix=y`,
];

/** Fragments of the secrets. Text that contains none of them contains no secret. */
export const SECRET_FRAGMENTS: readonly string[] = [
  part(16),
  SECRETS['AWS key id'] ?? '',
  SECRETS['AWS temporary key id'] ?? '',
  PASSWORD,
  Buffer.from(`somebody:${PASSWORD}`).toString('base64').slice(4, -4),
];

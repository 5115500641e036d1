import { z } from 'zod';

/** Name of an HTTP header, RFC 9110. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const NO_HOST = /[\s/@?#\\]/;

/** Headers of a request. Errors name the key and never quote the value, because HTTP clients would quote it when they reject it. */
export const headersSchema = z.record(z.string(), z.string()).superRefine((headers, context) => {
  for (const [index, [name, value]] of Object.entries(headers).entries()) {
    if (!HEADER_NAME.test(name)) {
      // The name is not repeated, because it may contain the value: `"Authorization: Bearer …": ""`.
      const message = `the name of entry ${index + 1} is invalid, expected a header name such as "Authorization" without a colon`;
      context.addIssue({ code: 'custom', message });
      continue;
    }
    const problem = headerValueProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', path: [name], message: problem });
  }
});

function headerValueProblem(value: string): string | null {
  if (/[\r\n]/.test(value)) return 'contains a line break, which headers cannot contain';
  if (/[^\t\x20-\x7e\x80-\uffff]/.test(value)) return 'contains a control character, which headers cannot contain';
  return /[^\t\x20-\xff]/.test(value) ? 'contains characters beyond Latin-1, encode it' : null;
}

/** Environment variables of a child process. Errors name the key and never quote the value. */
export const envSchema = z.record(z.string(), z.string()).superRefine((env, context) => {
  for (const [index, [name, value]] of Object.entries(env).entries()) {
    if (name === '' || /[=\0]/.test(name)) {
      // The name is not repeated, because it may contain the value: `"API_KEY=…": ""`.
      const message = `the name of entry ${index + 1} is invalid, expected a name without "="`;
      context.addIssue({ code: 'custom', message });
    } else if (value.includes('\0')) context.addIssue({ code: 'custom', path: [name], message: NUL_ERROR });
  }
});

const NUL_ERROR = 'contains a NUL character, which programs cannot receive';

/** Text that can be an argument or path of a program. */
export const argumentSchema = z.string().refine((text) => !text.includes('\0'), { error: NUL_ERROR });

/** Host name or IP address, without the parts of a URL, which name resolution would quote in its errors. */
export const hostSchema = z
  .string()
  .min(1)
  .refine((host) => !NO_HOST.test(host), {
    error: 'expected a host name or an IP address, without scheme, user and path',
  });

/** Returns whether the credentials of a URL are percent-encoded correctly, because the transports decode them. */
export function hasValidCredentials(text: string): boolean {
  const { username, password } = new URL(text);
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

export const CREDENTIALS_ERROR = 'has credentials with an invalid percent encoding, write % as %25';

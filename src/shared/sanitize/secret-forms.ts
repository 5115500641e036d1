import { inspect } from 'node:util';

/** Minimum number of bytes of a value whose base64 is recognized within a longer base64 text, such as that of `user:password`. */
const MIN_EMBEDDED_BYTES = 8;

/**
 * Returns the forms in which libraries and servers write a value: plain, escaped in JSON, JavaScript, URLs and HTML, and base64.
 * Includes the value itself.
 */
export function formsOf(value: string): ReadonlySet<string> {
  const escapedOnce = escapeJson(value);
  const asciiJson = escapeNonAscii(escapedOnce);
  const forms = new Set([
    value,
    escapedOnce,
    escapeJson(escapedOnce),
    asciiJson,
    escapeJson(asciiJson),
    inspect(value).slice(1, -1),
    escapeHtml(value),
    // Printed lines have no runs of spaces.
    value.replaceAll(/\s+/g, ' '),
    // UTF-8 that was read as Latin-1.
    Buffer.from(value).toString('latin1'),
    // Host names are written in lowercase.
    ...(/^[\w.-]+$/.test(value) ? [value.toLowerCase()] : []),
    ...base64FormsOf(value),
  ]);
  for (const encoded of urlFormsOf(value)) {
    forms.add(encoded);
    forms.add(encoded.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
  }
  return forms;
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escapeNonAscii(text: string): string {
  return text.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => HTML_ESCAPES[character] ?? character);
}

function urlFormsOf(value: string): string[] {
  const text = value.replaceAll(/\p{Cs}/gu, '\ufffd');
  const url = new URL('https://user@localhost');
  url.username = text;
  url.pathname = `/${text}`;
  url.search = `?${text}`;
  return [
    encodeURIComponent(text),
    encodeURI(text),
    new URLSearchParams([['', text]]).toString().slice(1),
    url.username,
    url.pathname.slice(1),
    url.search.slice(1),
  ];
}

/** Returns the base64 of a value, and its parts that do not depend on the position of the value in a longer text. */
function base64FormsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const whole = bytes.toString('base64');
  const parts =
    bytes.length < MIN_EMBEDDED_BYTES
      ? [whole]
      : [0, 1, 2].map((offset) => {
          const embedded = Buffer.concat([Buffer.alloc(offset), bytes]);
          const complete = Math.floor((embedded.length * 8) / 6);
          return embedded.toString('base64').slice(Math.ceil((offset * 8) / 6), complete);
        });
  return parts.flatMap((part) => [part, part.replaceAll('+', '-').replaceAll('/', '_')]);
}

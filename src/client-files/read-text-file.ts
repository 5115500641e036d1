import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { decodeText } from './decode-text.js';

/** Maximum size of a file in bytes. */
const MAX_FILE_BYTES = 4_000_000;

/**
 * Reads a text file of at most four megabytes.
 * @throws Error with a `code` if the file cannot be read, and `EFBIG` if it is larger
 */
export async function readTextFile(path: string): Promise<string> {
  await using file = await open(path, 'r');
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(65_536), position: null });
    if (bytesRead === 0) return decodeText(Buffer.concat(chunks));
    size += bytesRead;
    if (size > MAX_FILE_BYTES)
      throw Object.assign(new Error(`the file is larger than ${MAX_FILE_BYTES} bytes`), { code: 'EFBIG' });
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

/** Directories in which MCP clients keep their files inside of a project. */
const CLIENT_DIRECTORIES: ReadonlySet<string> = new Set([
  '.amazonq',
  '.claude',
  '.codex',
  '.continue',
  '.copilot',
  '.cursor',
  '.gemini',
  '.junie',
  '.kiro',
  '.opencode',
  '.qwen',
  '.roo',
  '.trae',
  '.vscode',
  '.windsurf',
  '.zed',
]);

/** Returns the project directory of a configuration file: its directory, or the one above the directory of an MCP client. */
export function projectDirectory(file: string): string {
  const directory = dirname(file);
  return CLIENT_DIRECTORIES.has(basename(directory)) ? dirname(directory) : directory;
}

/** Directories of Gemini CLI and its forks, in whose files `url` is the URL of an event stream, and `httpUrl` the other. */
const SSE_URL_DIRECTORIES: ReadonlySet<string> = new Set(['.gemini', '.qwen']);

/** Returns the transport of a URL in an entry without a type. */
export function urlTypeOf(file: string): 'http' | 'sse' {
  return SSE_URL_DIRECTORIES.has(basename(dirname(file))) ? 'sse' : 'http';
}

import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/client';

/** Protocol versions of the official client that are negotiated with `server/discover`. It does not export them. */
const MODERN_VERSIONS: readonly string[] = ['2026-07-28'];

/** All protocol versions that swarmlens supports, newest first. */
export const SUPPORTED_VERSIONS: readonly string[] = [...MODERN_VERSIONS, ...SUPPORTED_PROTOCOL_VERSIONS];

export function isModernVersion(version: string): boolean {
  return MODERN_VERSIONS.includes(version);
}

export function isSupportedVersion(version: string): boolean {
  return SUPPORTED_VERSIONS.includes(version);
}

import { hashText } from './colors.js';

const HUE_COUNT = 24;

/** Returns the hue of a group in degrees. Depends on its id only, so that filters and other groups do not change it. */
export function groupHue(groupId: string): number {
  return ((hashText(groupId) % HUE_COUNT) * 360) / HUE_COUNT;
}

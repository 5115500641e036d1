import type { ObservedTaskStatus } from '../../observer-format/index.js';

/** Converts the word of a coding agent for the status of a task. */
export function toTaskStatus(word: string | null): ObservedTaskStatus {
  switch (word) {
    case 'pending':
    case 'in_progress':
    case 'completed':
      return word;
    case 'cancelled':
    case 'canceled':
      return 'canceled';
    case null:
    default:
      return 'unknown';
  }
}

/** Kind of a text in a record of type `user`. Only a `prompt` comes from a person or a parent agent. */
export type UserText = 'prompt' | 'interrupt' | 'notification' | 'teammate' | 'local' | 'warmup';

const INTERRUPTS: readonly string[] = ['[Request interrupted by user]', '[Request interrupted by user for tool use]'];

/** Beginnings of texts that Claude Code adds by itself. The model does not answer them. */
const LOCAL_BEGINNINGS = [
  '<command-name>',
  '<command-message>',
  '<command-args>',
  '<local-command-stdout>',
  '<local-command-stderr>',
  '<local-command-caveat>',
  '<bash-input>',
  '<bash-stdout>',
  '<bash-stderr>',
  '<system-reminder>',
  'Caveat: The messages below',
];

export function classifyUserText(text: string): UserText {
  if (INTERRUPTS.includes(text)) return 'interrupt';
  if (text === 'Warmup') return 'warmup';
  const begin = text.slice(0, 200).trimStart();
  if (begin.startsWith('<task-notification>')) return 'notification';
  if (begin.startsWith('<teammate-message')) return 'teammate';
  return LOCAL_BEGINNINGS.some((beginning) => begin.startsWith(beginning)) ? 'local' : 'prompt';
}

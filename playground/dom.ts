type Child = Node | string;

/** The element of the page with this id. @throws Error it is missing or of another kind: the page and the code differ */
export function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/** A new element. Text becomes text, never markup: what servers say of themselves is data. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

/** Writes only when something differs, so that a screen reader or a selection is not disturbed by what stays the same. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export type Tone = 'good' | 'busy' | 'warning' | 'bad' | 'neutral';

export function setTone(target: HTMLElement, tone: Tone): void {
  if (target.dataset['tone'] !== tone) target.dataset['tone'] = tone;
}

/** A short word with a colour; the word alone says it too. */
export function badge(word: string, tone: Tone): HTMLSpanElement {
  const made = element('span', 'badge', word);
  setTone(made, tone);
  return made;
}

import type { Tone } from './words.js';

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

/** A button that does not submit the form that it may be in. */
export function button(text: string, press: () => void): HTMLButtonElement {
  const made = element('button', '', text);
  made.type = 'button';
  made.addEventListener('click', press);
  return made;
}

/** Writes only when something differs, so that a screen reader or a selection is not disturbed by what stays the same. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function setTone(target: HTMLElement, tone: Tone): void {
  if (target.dataset['tone'] !== tone) target.dataset['tone'] = tone;
}

/** A short word with a colour; the word alone says it too. */
export function badge(word: string, tone: Tone): HTMLSpanElement {
  const made = element('span', 'badge', word);
  setTone(made, tone);
  return made;
}

export function setBadge(target: HTMLElement, word: string, tone: Tone): void {
  setText(target, word);
  setTone(target, tone);
}

/** Names and values, written in place when they change. */
export class Facts {
  readonly list: HTMLDListElement;
  readonly #values = new Map<string, HTMLElement>();

  constructor(list: HTMLDListElement = element('dl', 'facts')) {
    this.list = list;
  }

  /** @param value null: the fact is not shown */
  set(name: string, value: string | null): void {
    let shown = this.#values.get(name);
    if (shown === undefined) {
      shown = element('dd', '');
      this.#values.set(name, shown);
      this.list.append(element('div', '', element('dt', '', name), shown));
    }
    const row = shown.parentElement;
    if (row !== null && row.hidden !== (value === null)) row.hidden = value === null;
    setText(shown, value ?? '');
  }
}

/** Puts these into `parent`, in this order, and touches only what is not there already. */
export function arrange(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const wanted = new Set<Element>(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const child of children) {
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
}

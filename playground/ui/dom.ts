import type { Tone } from './format.js';

type Child = Node | string;

/** The element of the page with this id. @throws Error it is missing or of another kind: the page and the code differ */
export function findElement<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/** A new element. Text becomes text, never markup: what servers say of themselves is data. */
export function createElement<K extends keyof HTMLElementTagNameMap>(
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
export function createButton(text: string, press: () => void): HTMLButtonElement {
  const made = createElement('button', '', text);
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
export function createBadge(word: string, tone: Tone): HTMLSpanElement {
  const made = createElement('span', 'badge', word);
  setTone(made, tone);
  return made;
}

export function setBadge(target: HTMLElement, word: string, tone: Tone): void {
  setText(target, word);
  setTone(target, tone);
}

/** Names and values, written in place when they change. */
export class DefinitionList {
  readonly list: HTMLDListElement;
  readonly #values = new Map<string, HTMLElement>();

  constructor(list: HTMLDListElement = createElement('dl', 'facts')) {
    this.list = list;
  }

  /** @param value null: the fact is not shown */
  set(name: string, value: string | null): void {
    let shown = this.#values.get(name);
    if (shown === undefined) {
      shown = createElement('dd', '');
      this.#values.set(name, shown);
      this.list.append(createElement('div', '', createElement('dt', '', name), shown));
    }
    const row = shown.parentElement;
    if (row !== null && row.hidden !== (value === null)) row.hidden = value === null;
    setText(shown, value ?? '');
  }
}

/** Puts these into `parent`, in this order, and touches only what is not there already. */
export function reorderChildren(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const wanted = new Set<Element>(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const child of children) {
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
}

import type { Tone } from './format.js';

type Child = Node | string;

/**
 * Returns the element of the page with this id.
 *
 * @throws Error if the element is missing or of another class, because page and code differ
 */
export function findElement<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/** Creates an element. Strings become text nodes, never markup, because they may come from servers. */
export function createElement<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  element.append(...children);
  return element;
}

/** Creates a button that does not submit its form. */
export function createButton(text: string, onClick: () => void): HTMLButtonElement {
  const button = createElement('button', '', text);
  button.type = 'button';
  button.addEventListener('click', onClick);
  return button;
}

/** Sets the text if it differs. Writing the same text would disturb screen readers and selections. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function setTone(target: HTMLElement, tone: Tone): void {
  if (target.dataset['tone'] !== tone) target.dataset['tone'] = tone;
}

/** Creates a colored label. The text is sufficient without the color. */
export function createBadge(text: string, tone: Tone): HTMLSpanElement {
  const badge = createElement('span', 'badge', text);
  setTone(badge, tone);
  return badge;
}

export function setBadge(target: HTMLElement, text: string, tone: Tone): void {
  setText(target, text);
  setTone(target, tone);
}

/** List of names and values. Updates changed values in place. */
export class DefinitionList {
  readonly list: HTMLDListElement;
  readonly #values = new Map<string, HTMLElement>();

  constructor(list: HTMLDListElement = createElement('dl', 'facts')) {
    this.list = list;
  }

  /** @param value null hides the entry */
  set(name: string, value: string | null): void {
    let element = this.#values.get(name);
    if (element === undefined) {
      element = createElement('dd', '');
      this.#values.set(name, element);
      this.list.append(createElement('div', '', createElement('dt', '', name), element));
    }
    const row = element.parentElement;
    if (row !== null && row.hidden !== (value === null)) row.hidden = value === null;
    setText(element, value ?? '');
  }
}

/** Makes these elements the children of `parent`, in this order. Does not touch elements that are already in place. */
export function reorderChildren(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const kept = new Set<Element>(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let current = parent.firstElementChild;
  for (const child of children) {
    if (child === current) current = current.nextElementSibling;
    else parent.insertBefore(child, current);
  }
}

import { reorderChildren, createElement, setText } from './dom.js';

export interface SelectOption<T extends string> {
  readonly value: T;
  readonly text: string;
  /** How many there are now; null: nobody counts. */
  readonly count: number | null;
  /** Of the dot before it. */
  readonly colour?: string;
}

interface Chip {
  readonly button: HTMLButtonElement;
  readonly dot: HTMLSpanElement;
  readonly text: HTMLSpanElement;
  readonly count: HTMLSpanElement;
}

/** Some of a list that may grow; as long as none is chosen, all are meant. */
export class MultiSelect<T extends string> {
  readonly fieldset: HTMLFieldSetElement;
  readonly #chips = createElement('div', 'chips');
  readonly #buttons = new Map<T, Chip>();
  readonly #chosen = new Set<T>();
  readonly #all = createElement('span', 'hint', 'all');
  readonly #changed: () => void;

  constructor(name: string, changed: () => void) {
    this.#changed = changed;
    this.fieldset = createElement('fieldset', '', createElement('legend', '', name, ' ', this.#all), this.#chips);
  }

  /** null: all. */
  get selected(): readonly T[] | null {
    return this.#chosen.size === 0 ? null : [...this.#chosen];
  }

  /** Options stay that were there once: what is not in the picture may be left out by these very filters. */
  setOptions(options: readonly SelectOption<T>[]): void {
    for (const option of options) {
      const chip = this.#buttons.get(option.value) ?? this.#add(option.value);
      setText(chip.text, option.text);
      setText(chip.count, option.count === null ? '' : `${option.count}`);
      chip.dot.hidden = option.colour === undefined;
      if (option.colour !== undefined) chip.dot.style.backgroundColor = option.colour;
    }
    this.fieldset.hidden = this.#buttons.size === 0;
  }

  #add(value: T): Chip {
    const chip = {
      button: createElement('button', 'chip'),
      dot: createElement('span', 'dot'),
      text: createElement('span', ''),
      count: createElement('span', 'hint'),
    };
    chip.button.type = 'button';
    chip.button.setAttribute('aria-pressed', 'false');
    chip.button.append(chip.dot, chip.text, chip.count);
    chip.button.addEventListener('click', () => this.#toggle(value, chip.button));
    this.#buttons.set(value, chip);
    const sorted = [...this.#buttons].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
    reorderChildren(
      this.#chips,
      sorted.map(([, { button }]) => button),
    );
    return chip;
  }

  #toggle(value: T, button: HTMLButtonElement): void {
    if (!this.#chosen.delete(value)) this.#chosen.add(value);
    button.setAttribute('aria-pressed', `${this.#chosen.has(value)}`);
    setText(this.#all, this.#chosen.size === 0 ? 'all' : `${this.#chosen.size} chosen`);
    this.#changed();
  }
}

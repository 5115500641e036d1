import { reorderChildren, createElement, setText } from './dom.js';

export interface SelectOption<T extends string> {
  readonly value: T;
  readonly text: string;
  /** Current number of matches. Null if it is not counted. */
  readonly count: number | null;
  /** Color of the dot before the text. */
  readonly color?: string;
}

interface Chip {
  readonly button: HTMLButtonElement;
  readonly dot: HTMLSpanElement;
  readonly text: HTMLSpanElement;
  readonly count: HTMLSpanElement;
}

/** Selection of any number of options from a growing list. No selection means all options. */
export class MultiSelect<T extends string> {
  readonly fieldset: HTMLFieldSetElement;
  readonly #chips = createElement('div', 'chips');
  readonly #buttons = new Map<T, Chip>();
  readonly #selected = new Set<T>();
  readonly #all = createElement('span', 'hint', 'all');
  readonly #onChange: () => void;

  constructor(name: string, onChange: () => void) {
    this.#onChange = onChange;
    this.fieldset = createElement('fieldset', '', createElement('legend', '', name, ' ', this.#all), this.#chips);
  }

  /** Selected values. Null means all. */
  get selected(): readonly T[] | null {
    return this.#selected.size === 0 ? null : [...this.#selected];
  }

  /** Adds and updates options. Keeps earlier options, because the filters themselves may hide their agents. */
  setOptions(options: readonly SelectOption<T>[]): void {
    for (const option of options) {
      const chip = this.#buttons.get(option.value) ?? this.#add(option.value);
      setText(chip.text, option.text);
      setText(chip.count, option.count === null ? '' : `${option.count}`);
      chip.dot.hidden = option.color === undefined;
      if (option.color !== undefined) chip.dot.style.backgroundColor = option.color;
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
    if (!this.#selected.delete(value)) this.#selected.add(value);
    button.setAttribute('aria-pressed', `${this.#selected.has(value)}`);
    setText(this.#all, this.#selected.size === 0 ? 'all' : `${this.#selected.size} selected`);
    this.#onChange();
  }
}

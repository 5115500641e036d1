import { arrange, element, setText } from '../dom.js';

export interface Option<T extends string> {
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
export class Choice<T extends string> {
  readonly fieldset: HTMLFieldSetElement;
  readonly #chips = element('div', 'chips');
  readonly #buttons = new Map<T, Chip>();
  readonly #chosen = new Set<T>();
  readonly #all = element('span', 'hint', 'all');
  readonly #changed: () => void;

  constructor(name: string, changed: () => void) {
    this.#changed = changed;
    this.fieldset = element('fieldset', '', element('legend', '', name, ' ', this.#all), this.#chips);
  }

  /** null: all. */
  get chosen(): readonly T[] | null {
    return this.#chosen.size === 0 ? null : [...this.#chosen];
  }

  /** Options stay that were there once: what is not in the picture may be left out by these very filters. */
  offer(options: readonly Option<T>[]): void {
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
      button: element('button', 'chip'),
      dot: element('span', 'dot'),
      text: element('span', ''),
      count: element('span', 'hint'),
    };
    chip.button.type = 'button';
    chip.button.setAttribute('aria-pressed', 'false');
    chip.button.append(chip.dot, chip.text, chip.count);
    chip.button.addEventListener('click', () => this.#toggle(value, chip.button));
    this.#buttons.set(value, chip);
    const sorted = [...this.#buttons].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
    arrange(
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

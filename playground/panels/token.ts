import { element, find, setText } from '../dom.js';

/** Asks for a token when the server wants one. It is kept by nobody but the page, and for as long as that is open. */
export class TokenPanel {
  readonly #form = find('token', HTMLFormElement);
  readonly #reason = element('p', '');
  readonly #input = element('input', '');
  #given: (token: string) => void = () => undefined;

  constructor() {
    this.#input.type = 'password';
    this.#input.autocomplete = 'off';
    this.#input.required = true;
    const button = element('button', '', 'Go on');
    this.#form.append(this.#reason, element('label', '', 'Token ', this.#input), button);
    this.#form.addEventListener('submit', (submitted) => {
      submitted.preventDefault();
      const token = this.#input.value.trim();
      this.#input.value = '';
      this.#form.hidden = true;
      this.#given(token);
    });
  }

  /** @param reason what the server said @returns what a person enters, whenever that is */
  ask(reason: string): Promise<string> {
    setText(this.#reason, reason);
    this.#form.hidden = false;
    this.#input.focus();
    return new Promise((resolve) => (this.#given = resolve));
  }
}

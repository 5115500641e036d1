import type { TokenRequest } from '@swarmlens/client';
import { createElement, findElement, setText } from '../ui/dom.js';

/** Asks for a token when the server wants one. It is kept by nobody but the page, and for as long as that is open. */
export class TokenPanel {
  readonly #form = findElement('token', HTMLFormElement);
  readonly #reason = createElement('p', '');
  readonly #input = createElement('input', '');
  #token: string | null = null;
  #given: (token: string) => void = () => undefined;

  constructor() {
    this.#input.type = 'password';
    this.#input.autocomplete = 'off';
    this.#input.required = true;
    const go = createElement('button', '', 'Go on');
    this.#form.append(this.#reason, createElement('label', '', 'Token ', this.#input), go);
    this.#form.addEventListener('submit', (submitted) => {
      submitted.preventDefault();
      const token = this.#input.value.trim();
      this.#input.value = '';
      this.#form.hidden = true;
      this.#given(token);
    });
  }

  /** What the client calls: a token only when the server has asked for one. */
  readonly source = ({ rejection, signal }: TokenRequest): Promise<string | null> => {
    if (rejection === null) return Promise.resolve(this.#token);
    setText(this.#reason, rejection);
    this.#form.hidden = false;
    this.#input.focus();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#form.hidden = true;
        reject(new Error('nobody waits for a token any more'));
      };
      signal.addEventListener('abort', end, { once: true });
      this.#given = (token) => {
        signal.removeEventListener('abort', end);
        this.#token = token;
        resolve(token);
      };
    });
  };
}

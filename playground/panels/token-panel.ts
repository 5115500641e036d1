import type { TokenRequest } from '@swarmlens/client';
import { createElement, findElement, setText } from '../ui/dom.js';

/** Asks the user for a token when the server requires one. Keeps it in memory until the page is closed. */
export class TokenPanel {
  readonly #form = findElement('token', HTMLFormElement);
  readonly #reason = createElement('p', '');
  readonly #input = createElement('input', '');
  #token: string | null = null;
  #resolveToken: (token: string) => void = () => undefined;

  constructor() {
    this.#input.type = 'password';
    this.#input.autocomplete = 'off';
    this.#input.required = true;
    const submit = createElement('button', '', 'Continue');
    this.#form.append(this.#reason, createElement('label', '', 'Token ', this.#input), submit);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const token = this.#input.value.trim();
      this.#input.value = '';
      this.#form.hidden = true;
      this.#resolveToken(token);
    });
  }

  /** Token function of the client. Asks the user only after a rejection. */
  readonly source = ({ rejection, signal }: TokenRequest): Promise<string | null> => {
    if (rejection === null) return Promise.resolve(this.#token);
    setText(this.#reason, rejection);
    this.#form.hidden = false;
    this.#input.focus();
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.#form.hidden = true;
        reject(new Error('the token is no longer needed'));
      };
      signal.addEventListener('abort', cancel, { once: true });
      this.#resolveToken = (token) => {
        signal.removeEventListener('abort', cancel);
        this.#token = token;
        resolve(token);
      };
    });
  };
}

import type { AgentStreamRequest } from '@swarmlens/client';
import { createButton, createElement, setText } from '../ui/dom.js';
import { printOperation } from './print-operation.js';

/** Current request of the page as a GraphQL operation. */
export class OperationPanel {
  readonly element: HTMLDetailsElement;
  readonly #code = createElement('code', '');
  readonly #open = createElement('a', 'button', 'Open in GraphiQL');
  readonly #copied = createElement('span', 'hint');
  #request: AgentStreamRequest | null = null;

  constructor() {
    this.#copied.setAttribute('role', 'status');
    this.#open.target = '_blank';
    this.#open.rel = 'noopener';
    const text = createElement('pre', '', this.#code);
    text.tabIndex = 0;
    const copy = createButton('Copy', () => {
      navigator.clipboard.writeText(this.#code.textContent).then(
        () => setText(this.#copied, 'Copied.'),
        () => setText(this.#copied, 'The browser denied access to the clipboard. Select the text to copy it.'),
      );
    });
    this.element = createElement(
      'details',
      'operation',
      createElement('summary', '', 'As GraphQL'),
      text,
      createElement('p', 'buttons', copy, this.#open, this.#copied),
    );
  }

  show(request: AgentStreamRequest): void {
    if (request === this.#request) return;
    this.#request = request;
    const text = printOperation(request);
    setText(this.#code, text);
    setText(this.#copied, '');
    this.#open.href = `/graphql?${new URLSearchParams({ query: text }).toString()}`;
  }
}

import type { AgentsRequest } from '../../src/client/index.js';
import { button, element, setText } from '../dom.js';
import { operationText } from '../operation-text.js';

/** What the page asks for, as GraphQL. */
export class OperationPanel {
  readonly element: HTMLDetailsElement;
  readonly #code = element('code', '');
  readonly #open = element('a', 'button', 'Open in GraphiQL');
  readonly #copied = element('span', 'hint');
  #request: AgentsRequest | null = null;

  constructor() {
    this.#copied.setAttribute('role', 'status');
    this.#open.target = '_blank';
    this.#open.rel = 'noopener';
    const text = element('pre', '', this.#code);
    text.tabIndex = 0;
    const copy = button('Copy', () => {
      navigator.clipboard.writeText(this.#code.textContent).then(
        () => setText(this.#copied, 'Copied.'),
        () => setText(this.#copied, 'This browser does not let pages copy: select the text.'),
      );
    });
    this.element = element(
      'details',
      'operation',
      element('summary', '', 'As GraphQL'),
      text,
      element('p', 'buttons', copy, this.#open, this.#copied),
    );
  }

  show(request: AgentsRequest): void {
    if (request === this.#request) return;
    this.#request = request;
    const text = operationText(request);
    setText(this.#code, text);
    setText(this.#copied, '');
    this.#open.href = `/graphql?${new URLSearchParams({ query: text }).toString()}`;
  }
}

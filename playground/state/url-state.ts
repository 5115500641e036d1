import { type Signal, signal } from '@preact/signals';
import { parseViewState, printViewState, type ViewState } from '../model/view-state.js';

/** Whether a change adds an entry to the history of the browser, so that the Back button undoes it. */
export type HistoryMode = 'push' | 'replace';

/** State of the page in the address of the browser. */
export class UrlState {
  readonly #view: Signal<ViewState> = signal(parseViewState(location.search));

  constructor() {
    addEventListener('popstate', () => {
      this.#view.value = parseViewState(location.search);
    });
  }

  get view(): ViewState {
    return this.#view.value;
  }

  change(change: Partial<ViewState>, mode: HistoryMode = 'push'): void {
    const view = { ...this.#view.peek(), ...change };
    const address = printViewState(view);
    if (address === printViewState(this.#view.peek())) return;
    this.#view.value = view;
    if (mode === 'push') history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  }
}

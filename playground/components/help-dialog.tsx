import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from './page-context.js';

const KEYS: readonly (readonly [key: string, effect: string])[] = [
  ['/', 'Moves to the search.'],
  ['?', 'Opens and closes this help.'],
  ['Esc', 'Closes the help, then the selected agent, then removes the filters.'],
  ['↑ ↓ PgUp PgDn Home End', 'Move through the list of agents.'],
  ['← →', 'Close and open a row of the tree.'],
  ['Enter', 'Shows the selected agent in the graph.'],
  ['+ − 0, arrows', 'Zoom, show all, and move in the graph.'],
];

/** Help about keys and marks. */
export function HelpDialog(): JSX.Element {
  const { isHelpOpen } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  const close = (): void => {
    isHelpOpen.value = false;
  };
  return (
    <dialog id="help" ref={dialog} aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">Help</h2>
      <dl class="keys">
        {KEYS.map(([key, effect]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{effect}</dd>
          </div>
        ))}
      </dl>
      <ul class="marks">
        <li>–: unknown. It is not 0.</li>
        <li>est.: estimated from list prices. ≥: a lower limit.</li>
        <li>inferred: derived from other facts, not reported.</li>
        <li>stale: last known values, because the server does not answer. Stale agents do not count as working.</li>
        <li>The counts at the top include all agents that you can see, whatever the filters.</li>
        <li>The address contains the tab, the selected agent, the filters and the order. Copy it to share the view.</li>
      </ul>
      <button type="button" onClick={close}>
        Close
      </button>
    </dialog>
  );
}

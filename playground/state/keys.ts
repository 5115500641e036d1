import { hasFilter } from '../model/view-state.js';
import type { PageState } from './page-state.js';

/**
 * Handles the keys of the whole page.
 *
 * @param focusSearch moves to the search
 */
export function handlePageKey(event: KeyboardEvent, page: PageState, focusSearch: () => void): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === 'Escape') {
    leave(event, page);
    return;
  }
  if (isTyping(event.target)) return;
  if (event.key === '/') {
    event.preventDefault();
    focusSearch();
  } else if (event.key === '?') {
    event.preventDefault();
    page.isHelpOpen.value = !page.isHelpOpen.value;
  }
}

/** Closes the help, clears the search field that has the focus, closes the selected agent, or removes the filters. */
function leave(event: KeyboardEvent, page: PageState): void {
  const { view, isHelpOpen } = page;
  // The dialog closes itself.
  if (isHelpOpen.value) return;
  if (isTyping(event.target) && event.target instanceof HTMLElement) {
    if (view.search === '') event.target.blur();
    else page.change({ search: '' });
    event.preventDefault();
  } else if (view.agentId !== null) page.select(null);
  else if (hasFilter(view)) page.clearFilters();
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

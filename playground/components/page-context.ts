import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { PageState } from '../state/page-state.js';

export const PageContext = createContext<PageState | null>(null);

/** Returns the state of the page. */
export function usePage(): PageState {
  const page = useContext(PageContext);
  if (page === null) throw new Error('a component is outside of the page');
  return page;
}

import fc from 'fast-check';
import { type ServerSnapshot, Store } from '../../src/state/index.js';
import { EPOCH_TIME, serverSnapshotOf } from '../support/arbitraries.js';

export function newStore(maxTombstones = 100): Store {
  return new Store({ epoch: 'e', maxTombstones, maxEvents: 3 });
}

export function show(store: Store, snapshot: ServerSnapshot): void {
  store.commit(store.diff(snapshot, EPOCH_TIME));
}

type ServerChange = { readonly show: ServerSnapshot } | { readonly remove: string };

/** Change of one of the servers `x` and `y`: another snapshot, or its removal. */
export const serverChange: fc.Arbitrary<ServerChange> = fc.oneof(
  { weight: 3, arbitrary: serverSnapshotOf('x').map((snapshot) => ({ show: snapshot })) },
  { weight: 1, arbitrary: serverSnapshotOf('y').map((snapshot) => ({ show: snapshot })) },
  { weight: 1, arbitrary: fc.constantFrom('x', 'y').map((id) => ({ remove: id })) },
);

export function applyChange(store: Store, change: ServerChange): void {
  if ('show' in change) show(store, change.show);
  else store.commit(store.removalDelta(change.remove));
}

import { MemoryBus } from '../../../src/cluster/index.js';
import { type BusNode, busContract, newStore } from './contract.js';

busContract(async () => {
  const bus = new MemoryBus();
  // A memory bus connects the stores of one process only.
  const node = (): BusNode => {
    const store = newStore();
    bus.subscribe((change) => store.commit(change));
    return { bus, store };
  };
  return { owner: node(), other: node(), [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose]() };
});

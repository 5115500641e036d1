import { MemoryBus } from '../../../src/cluster/index.js';
import { type BusNode, busContract, newStore } from './contract.js';

busContract(async () => {
  const bus = new MemoryBus();
  // One process: whoever else follows the bus does it in it.
  const node = (): BusNode => {
    const store = newStore();
    bus.subscribe((change) => store.commit(change));
    return { bus, store };
  };
  return { holder: node(), other: node(), [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose]() };
});

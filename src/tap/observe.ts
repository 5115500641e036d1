import { Link, type LinkOptions } from './link.js';
import { Observation } from './observation.js';
import type { Passage } from './passage.js';

/** Lets swarmlens see a session, whenever it is there. */
export function observe(passage: Passage, options: LinkOptions): { link: Link; observation: Observation } {
  const link = new Link(options, {
    onMessage: (text) => observation.received(text),
    onClose: () => observation.forget(),
  });
  const observation = new Observation(passage, link);
  return { link, observation };
}

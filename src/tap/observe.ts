import { Uplink, type UplinkOptions } from './link.js';
import { UplinkServer } from './observation.js';
import type { StdioProxy } from './passage.js';

/** Lets swarmlens see a session, whenever it is there. */
export function startUplink(passage: StdioProxy, options: UplinkOptions): { link: Uplink; observation: UplinkServer } {
  const link = new Uplink(options, {
    onMessage: (text) => observation.receive(text),
    onClose: () => observation.reset(),
  });
  const observation = new UplinkServer(passage, link);
  return { link, observation };
}

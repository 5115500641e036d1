import type { NoticeSeverity, NoticesSubscription } from '../../src/client/index.js';
import { badge, element, find, type Tone } from '../dom.js';
import { word } from '../words.js';

type Notice = NoticesSubscription['notices'];

const MAX_NOTICES = 20;
const TONES: Readonly<Record<NoticeSeverity, Tone>> = { INFO: 'neutral', WARNING: 'warning', ERROR: 'bad' };

/** The latest notices, newest first. */
export class NoticesPanel {
  readonly #list = find('notices', HTMLOListElement);
  readonly #empty = find('no-notices', HTMLParagraphElement);

  add({ severity, message, serverId, timestamp, missed }: Notice): void {
    this.#empty.hidden = true;
    const time = element('time', '', new Date(timestamp).toLocaleTimeString());
    time.dateTime = timestamp;
    const text = [serverId, message].filter((part) => part !== null).join(': ');
    this.#list.prepend(element('li', '', time, badge(word(severity), TONES[severity]), element('span', '', text)));
    if (missed > 0) this.#list.append(element('li', 'hint', `${missed} before this one were missed.`));
    while (this.#list.childElementCount > MAX_NOTICES) this.#list.lastElementChild?.remove();
  }
}

import type { Notice, NoticesSnapshot } from '../../src/client/index.js';
import { arrange, badge, element, find } from '../dom.js';
import { clockTime, NOTICE_TONES, word } from '../words.js';

const MAX_SHOWN = 40;

/** The latest notices, newest first. */
export class NoticesPanel {
  readonly #list = find('notices', HTMLOListElement);
  readonly #empty = find('no-notices', HTMLParagraphElement);
  readonly #rows = new WeakMap<Notice, HTMLLIElement>();
  readonly #missed = element('li', 'hint');

  show({ notices, missed }: NoticesSnapshot): void {
    const rows = notices
      .slice(-MAX_SHOWN)
      .reverse()
      .map((notice) => this.#rowOf(notice));
    if (missed > 0) {
      this.#missed.textContent = `${missed} more were missed.`;
      rows.push(this.#missed);
    }
    arrange(this.#list, rows);
    this.#list.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
  }

  #rowOf(notice: Notice): HTMLLIElement {
    const known = this.#rows.get(notice);
    if (known !== undefined) return known;
    const { severity, message, serverId, timestamp } = notice;
    const time = element('time', '', clockTime(timestamp));
    time.dateTime = timestamp;
    const text = [serverId, message].filter((part) => part !== null).join(': ');
    const row = element('li', '', time, badge(word(severity), NOTICE_TONES[severity]), element('span', '', text));
    this.#rows.set(notice, row);
    return row;
  }
}

import type { Notice, NoticeStreamSnapshot } from '@swarmlens/client';
import { reorderChildren, createBadge, createElement, findElement } from '../ui/dom.js';
import { formatTimeOfDay, NOTICE_TONES, formatEnumValue } from '../ui/format.js';

const MAX_SHOWN = 40;

/** List of the last notices, newest first. */
export class NoticesPanel {
  readonly #list = findElement('notices', HTMLOListElement);
  readonly #empty = findElement('no-notices', HTMLParagraphElement);
  readonly #rows = new WeakMap<Notice, HTMLLIElement>();
  readonly #missed = createElement('li', 'hint');

  show({ notices, missed }: NoticeStreamSnapshot): void {
    const rows = notices
      .slice(-MAX_SHOWN)
      .reverse()
      .map((notice) => this.#getRow(notice));
    if (missed > 0) {
      this.#missed.textContent = `${missed} more notices were dropped.`;
      rows.push(this.#missed);
    }
    reorderChildren(this.#list, rows);
    this.#list.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
  }

  #getRow(notice: Notice): HTMLLIElement {
    const known = this.#rows.get(notice);
    if (known !== undefined) return known;
    const { severity, message, serverId, timestamp } = notice;
    const time = createElement('time', '', formatTimeOfDay(timestamp));
    time.dateTime = timestamp;
    const text = [serverId, message].filter((part) => part !== null).join(': ');
    const row = createElement(
      'li',
      '',
      time,
      createBadge(formatEnumValue(severity), NOTICE_TONES[severity]),
      createElement('span', '', text),
    );
    this.#rows.set(notice, row);
    return row;
  }
}

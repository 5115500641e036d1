import { NoticesDocument, type NoticesSubscription } from './generated/operations.js';
import { Live, type LiveDeps } from './live.js';
import type { Session } from './session.js';
import type { Notice, NoticesOptions, NoticesSnapshot } from './streams.js';

const MAX_NOTICES = 100;

/** Notices as they come. The server tells those from now on, so whoever was away has missed some. */
export class LiveNotices extends Live<NoticesSnapshot, Notice> {
  readonly #maxNotices: number;

  constructor(deps: LiveDeps, { maxNotices = MAX_NOTICES, signal }: NoticesOptions) {
    super(deps, { status: 'IDLE', error: null, notices: [], missed: 0 }, signal);
    this.#maxNotices = maxNotices;
  }

  protected begin(session: Session): () => void {
    // Nothing may come for hours.
    this.resumed();
    const sink = this.sink(({ notices: notice }: NoticesSubscription) => {
      const { notices, missed } = this.getSnapshot();
      this.arrived({ notices: [...notices, notice].slice(-this.#maxNotices), missed: missed + notice.missed });
      this.publish(notice);
    });
    return session.start(NoticesDocument, {}, sink);
  }

  protected greet(): null {
    return null;
  }

  protected merge(waiting: readonly Notice[], next: Notice): readonly Notice[] {
    return [...waiting, next].slice(-this.#maxNotices);
  }
}

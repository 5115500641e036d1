import type { GraphqlWsSession } from '../connection/graphql-ws-session.js';
import { NoticesDocument, type NoticesSubscription } from '../generated/operations.js';
import { BaseStream, type BaseStreamDeps } from './base-stream.js';
import type { Notice, NoticeStreamOptions, NoticeStreamSnapshot } from './stream-types.js';

const MAX_NOTICES = 100;

/** Stream of notices. The server sends notices from the time of the subscription on, and does not repeat earlier ones. */
export class SubscribedNoticeStream extends BaseStream<NoticeStreamSnapshot, Notice> {
  readonly #maxNotices: number;

  constructor(deps: BaseStreamDeps, { maxNotices = MAX_NOTICES, signal }: NoticeStreamOptions) {
    super(deps, { status: 'IDLE', error: null, notices: [], missed: 0 }, signal);
    this.#maxNotices = maxNotices;
  }

  protected start(session: GraphqlWsSession): () => void {
    // The first notice may arrive hours later.
    this.markLive();
    const sink = this.sink(({ notices: notice }: NoticesSubscription) => {
      const { notices, missed } = this.getSnapshot();
      this.patchLiveSnapshot({
        notices: [...notices, notice].slice(-this.#maxNotices),
        missed: missed + notice.missed,
      });
      this.publish(notice);
    });
    return session.start(NoticesDocument, {}, sink);
  }

  protected initialUpdate(): null {
    return null;
  }

  protected conflate(waiting: readonly Notice[], next: Notice): readonly Notice[] {
    return [...waiting, next].slice(-this.#maxNotices);
  }
}

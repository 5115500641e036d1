import type { TranscriptState } from './transcript-state.js';
import { answerKeys, sumUsage } from './usage-ledger.js';
import type { PricedTokens } from '../prices/price-list.js';

interface CountedTranscript {
  readonly state: TranscriptState;
  readonly createdAtMs: number;
}

/**
 * Counts the tokens of each answer once. Copies of a session repeat the answers of their original; they count for the transcript
 * that had them first.
 */
export class TokenShares {
  readonly #transcripts = new Map<string, CountedTranscript>();
  readonly #pathsByCopyKey = new Map<number, Set<string>>();

  set(path: string, transcript: CountedTranscript): void {
    this.remove(path);
    this.#transcripts.set(path, transcript);
    for (const key of transcript.state.copyKeys) {
      const paths = this.#pathsByCopyKey.get(key);
      if (paths === undefined) this.#pathsByCopyKey.set(key, new Set([path]));
      else paths.add(path);
    }
  }

  remove(path: string): void {
    const transcript = this.#transcripts.get(path);
    this.#transcripts.delete(path);
    for (const key of transcript?.state.copyKeys ?? []) {
      const paths = this.#pathsByCopyKey.get(key);
      paths?.delete(path);
      if (paths?.size === 0) this.#pathsByCopyKey.delete(key);
    }
  }

  /** Returns the paths of the other transcripts with which a transcript shares answers. */
  copiesOf(path: string): readonly string[] {
    const copies = new Set<string>();
    for (const key of this.#transcripts.get(path)?.state.copyKeys ?? []) {
      for (const other of this.#pathsByCopyKey.get(key) ?? []) copies.add(other);
    }
    copies.delete(path);
    return [...copies];
  }

  /** Returns the tokens per model that count for a transcript. */
  tokensOf(path: string): readonly PricedTokens[] {
    const transcript = this.#transcripts.get(path);
    if (transcript === undefined) return [];
    const { usage } = transcript.state;
    const copies = this.copiesOf(path);
    if (copies.length === 0) return sumUsage(usage, () => true);
    const counted = new Set<number>();
    for (const copy of copies) {
      const other = this.#transcripts.get(copy);
      if (other === undefined || !isEarlier(copy, other, path, transcript)) continue;
      for (const key of answerKeys(other.state.usage)) counted.add(key);
    }
    return sumUsage(usage, (key) => !counted.has(key));
  }
}

/** Returns whether a transcript had common answers before another one. */
function isEarlier(path: string, transcript: CountedTranscript, otherPath: string, other: CountedTranscript): boolean {
  const [isCopy, isOtherCopy] = [beginsWithCopy(transcript.state), beginsWithCopy(other.state)];
  if (isCopy !== isOtherCopy) return isOtherCopy;
  if (transcript.createdAtMs !== other.createdAtMs) return transcript.createdAtMs < other.createdAtMs;
  return path < otherPath;
}

/** Returns whether the first records of a conversation are older than the beginning of their transcript. */
function beginsWithCopy({ firstAt, firstConversationAt }: TranscriptState): boolean {
  return firstAt !== null && firstConversationAt !== null && firstConversationAt < firstAt;
}

import { describe, expect, test } from 'vitest';
import { RevisionTimeline, type TimeBounds } from '../../src/state/index.js';

function published(timeline: RevisionTimeline, revision: number, publishedAtMs: number, serverId = 'x'): void {
  timeline.recordRevision(revision, { serverId, publishedAtMs });
}

function pending(timeline: RevisionTimeline, revision: number, serverId = 'own'): void {
  timeline.recordRevision(revision, { serverId, publishedAtMs: null });
}

/** Bounds of a reader that has everything up to a time. */
function until(completeUntilMs: number, newestMs = completeUntilMs): TimeBounds {
  return { completeUntilMs, newestMs };
}

describe('RevisionTimeline', () => {
  test('maps nothing before it is complete', () => {
    const timeline = new RevisionTimeline();
    published(timeline, 1, 1_000);
    expect(timeline.bounds).toBeNull();
    expect(timeline.revisionAt(until(1_000), 1)).toBeNull();
  });

  test('maps a time to the last revision before the first later change', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(1_000);
    published(timeline, 1, 2_000);
    published(timeline, 2, 3_000);
    timeline.markComplete(4_000);
    const revisions = [1_000, 1_999, 2_000, 2_999, 3_000, 4_000].map((ms) => timeline.revisionAt(until(ms), 2));
    expect(revisions).toEqual([0, 0, 1, 1, 2, 2]);
    expect(timeline.bounds).toEqual({ completeUntilMs: 4_000, newestMs: 4_000 });
  });

  test('maps neither a time before its first one nor a change that it lacks', () => {
    const timeline = new RevisionTimeline();
    published(timeline, 1, 1_500);
    timeline.markComplete(1_000);
    timeline.markComplete(2_000);
    expect(timeline.revisionAt(until(1_499), 1)).toBeNull();
    expect(timeline.revisionAt(until(1_500), 1)).toBe(1);
    expect(timeline.revisionAt(until(1_500, 2_000), 1)).toBe(1);
    expect(timeline.revisionAt(until(1_500, 2_001), 1)).toBeNull();
  });

  test('never moves back', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(2_000);
    timeline.markComplete(1_000);
    published(timeline, 1, 5_000);
    published(timeline, 2, 4_000);
    expect(timeline.bounds).toEqual({ completeUntilMs: 2_000, newestMs: 5_000 });
    timeline.markPublished({ serverId: 'own', revision: 9, atMs: 3_000 });
    expect(timeline.bounds?.newestMs).toBe(5_000);
    timeline.markPublished({ serverId: 'own', revision: 9, atMs: 6_000 });
    expect(timeline.bounds?.newestMs).toBe(6_000);
  });

  test('merges changes within 50 ms, at the latest of their times', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(1_000);
    published(timeline, 1, 2_000);
    published(timeline, 2, 2_049);
    published(timeline, 3, 2_020);
    published(timeline, 4, 2_099);
    timeline.markComplete(3_000);
    expect([2_000, 2_048, 2_049, 2_098, 2_099].map((ms) => timeline.revisionAt(until(ms), 4))).toEqual([0, 0, 3, 3, 4]);
    published(timeline, 5, 2_049);
    expect(timeline.revisionAt(until(2_099), 5)).toBe(5);
  });

  test('has no bounds while a change is unpublished, and maps no time to it', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(1_000);
    pending(timeline, 1);
    pending(timeline, 2, 'other');
    expect(timeline.bounds).toBeNull();
    timeline.markComplete(5_000);
    expect(timeline.revisionAt(until(5_000), 2)).toBe(0);
    timeline.markPublished({ serverId: 'own', revision: 0, atMs: 5_000 });
    timeline.markPublished({ serverId: 'x', revision: 9, atMs: 5_000 });
    expect(timeline.bounds).toBeNull();
    timeline.markPublished({ serverId: 'own', revision: 1, atMs: 2_000 });
    expect(timeline.bounds).toBeNull();
    expect([1_999, 2_000].map((ms) => timeline.revisionAt(until(ms), 2))).toEqual([0, 1]);
    timeline.markPublished({ serverId: 'other', revision: 3, atMs: 3_000 });
    expect(timeline.bounds).toEqual({ completeUntilMs: 5_000, newestMs: 5_000 });
    expect([2_999, 3_000].map((ms) => timeline.revisionAt(until(ms), 2))).toEqual([1, 2]);
  });

  test('does not merge a published change into an unpublished one', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(1_000);
    pending(timeline, 1);
    published(timeline, 2, 2_000);
    timeline.markPublished({ serverId: 'own', revision: 1, atMs: 1_500 });
    timeline.markComplete(3_000);
    expect(timeline.revisionAt(until(1_999), 2)).toBe(1);
  });

  test('merges unpublished changes of a server above 16, until the last of them is published', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(1_000);
    for (let revision = 1; revision <= 20; revision += 1) pending(timeline, revision);
    pending(timeline, 21, 'other');
    timeline.markPublished({ serverId: 'other', revision: 21, atMs: 2_000 });
    timeline.markPublished({ serverId: 'own', revision: 19, atMs: 2_000 });
    timeline.markComplete(2_000);
    expect(timeline.bounds).toBeNull();
    expect(timeline.revisionAt(until(2_000), 21)).toBe(15);
    timeline.markPublished({ serverId: 'own', revision: 20, atMs: 2_000 });
    expect(timeline.bounds).not.toBeNull();
    expect(timeline.revisionAt(until(2_000), 21)).toBe(21);
  });

  test('keeps only unpublished changes of held servers when changes may be lost', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(1_000);
    published(timeline, 1, 1_500);
    pending(timeline, 2);
    pending(timeline, 3, 'lost');
    timeline.markGap((serverId) => serverId === 'own');
    expect(timeline.revisionAt(until(1_000), 3)).toBeNull();
    timeline.markComplete(1_200);
    // The reader lacks the published change, which this node may have dropped.
    expect(timeline.revisionAt(until(1_200), 3)).toBeNull();
    timeline.markComplete(1_500);
    expect(timeline.revisionAt(until(1_500), 3)).toBe(1);
    timeline.markPublished({ serverId: 'own', revision: 2, atMs: 2_000 });
    expect(timeline.bounds).toEqual({ completeUntilMs: 1_500, newestMs: 2_000 });
    timeline.markComplete(3_000);
    expect([1_999, 3_000].map((ms) => timeline.revisionAt(until(ms), 3))).toEqual([1, 3]);
  });

  test('forgets the oldest changes above 4,096, and maps no time before them', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(0);
    const atMs = (revision: number): number => revision * 100;
    for (let revision = 1; revision <= 4_096; revision += 1) published(timeline, revision, atMs(revision));
    timeline.markComplete(atMs(5_000));
    expect(timeline.revisionAt(until(0), 4_096)).toBe(0);
    published(timeline, 4_097, atMs(4_097));
    expect(timeline.revisionAt(until(0), 4_097)).toBeNull();
    expect(timeline.revisionAt(until(atMs(1) - 1), 4_097)).toBeNull();
    expect(timeline.revisionAt(until(atMs(1)), 4_097)).toBe(1);
    expect(timeline.revisionAt(until(atMs(4_097)), 4_097)).toBe(4_097);
  });

  test('maps no time before now when it forgets an unpublished change', () => {
    const timeline = new RevisionTimeline();
    timeline.markComplete(0);
    pending(timeline, 1);
    for (let revision = 2; revision <= 4_097; revision += 1) published(timeline, revision, revision * 100);
    timeline.markComplete(500_000);
    expect(timeline.revisionAt(until(409_699), 4_097)).toBeNull();
    expect(timeline.revisionAt(until(409_700), 4_097)).toBe(4_097);
  });
});

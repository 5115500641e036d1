import { describe, expect, test } from 'vitest';
import { PushTrust } from '../../../src/upstream/polling/push-trust.js';

/** Records changes that are announced before the poll that finds them. */
function announce(trust: PushTrust, count: number): void {
  for (let change = 0; change < count; change += 1) {
    trust.recordPush();
    trust.recordPoll(true);
    trust.recordPoll(false);
  }
}

describe('PushTrust', () => {
  test('trusts a server after three announced changes', () => {
    const trust = new PushTrust(false);
    announce(trust, 2);
    expect(trust.isTrusted).toBe(false);
    announce(trust, 1);
    expect(trust.isTrusted).toBe(true);
  });

  test('never trusts a server that announces nothing, or something else', () => {
    const trust = new PushTrust(false);
    for (let poll = 0; poll < 100; poll += 1) {
      trust.recordPoll(true);
      trust.recordPoll(false);
    }
    for (let poll = 0; poll < 100; poll += 1) {
      trust.recordPush();
      trust.recordPoll(false);
    }
    expect(trust.isTrusted).toBe(false);
  });

  test('never trusts a server that announces only some of its changes', () => {
    const trust = new PushTrust(false);
    for (let round = 0; round < 100; round += 1) {
      announce(trust, 1);
      trust.recordPoll(true);
      trust.recordPoll(true);
    }
    expect(trust.isTrusted).toBe(false);
  });

  test('accepts an announcement that arrives after the poll that has found the change', () => {
    const trust = new PushTrust(false);
    for (let change = 0; change < 3; change += 1) {
      trust.recordPoll(true);
      trust.recordPush();
    }
    expect(trust.isTrusted).toBe(true);
  });

  test('loses its trust with the first unannounced change, and requires twice as many afterwards', () => {
    const trust = new PushTrust(false);
    announce(trust, 3);
    trust.recordPoll(true);
    trust.recordPoll(false);
    expect(trust.isTrusted).toBe(false);
    announce(trust, 5);
    expect(trust.isTrusted).toBe(false);
    announce(trust, 1);
    expect(trust.isTrusted).toBe(true);
  });

  test('trusts a server that promises to announce all changes, until one is not announced', () => {
    const trust = new PushTrust(true);
    expect(trust.isTrusted).toBe(true);
    announce(trust, 1);
    trust.recordPoll(false);
    expect(trust.isTrusted).toBe(true);
    trust.recordPoll(true);
    trust.recordPoll(false);
    expect(trust.isTrusted).toBe(false);
    announce(trust, 2);
    expect(trust.isTrusted).toBe(false);
    announce(trust, 1);
    expect(trust.isTrusted).toBe(true);
  });
});

// One observation: what is taken, what is refused and under which code.
import { describe, expect, it } from '@jest/globals';
import { aheadMsMax, isRefused, lateMsMax, readObservation } from '../../src/commands/observations/cloud-event.js';
import { addMs } from '../../src/kernel/clock.js';

const receivedAt = '2026-06-15T12:00:00.000Z';
const session = {
  specversion: '1.0',
  id: 'e1',
  source: 'device',
  type: 'SessionStarted',
  time: '2026-06-15T11:59:00Z',
  data: { sessionId: 's1', memberId: 'anna', entry: 'organic' },
};

function codeOf(item: unknown): string {
  const read = readObservation(item, receivedAt);
  return isRefused(read) ? read.code : 'taken';
}
function at(ms: number): string {
  return addMs(receivedAt, ms);
}

describe('an observation', () => {
  it('has an id of its own that source and id give', () => {
    const read = readObservation(session, receivedAt);
    const again = readObservation({ ...session, time: '2026-06-15T11:58:00Z' }, receivedAt);
    const other = readObservation({ ...session, source: 'device2' }, receivedAt);
    if (isRefused(read) || isRefused(again) || isRefused(other)) throw new Error('refused');
    expect(again.eventId).toBe(read.eventId);
    expect(other.eventId).not.toBe(read.eventId);
    expect(read).toMatchObject({ memberId: 'anna', occurredAt: '2026-06-15T11:59:00.000Z', clientEventId: 'e1' });
  });

  it('of a product view that another system has a name for is known by that name, whoever reports it', () => {
    const data = { memberId: 'anna', productRef: { productId: 'boot', brandId: 'shoes' }, sourceSystem: 'shopify' };
    const idOf = (id: string, change: object) => {
      const read = readObservation({ ...session, id, type: 'ProductViewed', data: { ...data, ...change } }, receivedAt);
      if (isRefused(read)) throw new Error(read.detail);
      return read.eventId;
    };
    const browser = idOf('e1', {
      externalEventId: 'evt-9',
      quantity: 1,
      unitPrice: { amountMinor: 1, currency: 'EUR' },
    });
    expect(idOf('e2', { externalEventId: 'evt-9' })).toBe(browser);
    expect(idOf('e3', { externalEventId: 'evt-10' })).not.toBe(browser);
    expect(idOf('e4', { externalEventId: 'evt-9', sourceSystem: 'ga4' })).not.toBe(browser);
    expect(idOf('e5', {})).not.toBe(idOf('e6', {}));
  });

  it('of a device without a member keeps the device apart', () => {
    const read = readObservation({ ...session, data: { sessionId: 's1', anonId: 'd1', entry: 'push' } }, receivedAt);
    expect(read).toMatchObject({ anonId: 'd1' });
    expect(read).not.toHaveProperty('memberId');
  });

  it.each([
    ['exactly 7 days late', at(-lateMsMax), 'taken'],
    ['a moment later than that', at(-lateMsMax - 1), 'too-late'],
    ['ahead', at(aheadMsMax), 'taken'],
  ])('that is %s', (_what, time, code) => {
    expect(codeOf({ ...session, time })).toBe(code);
  });

  it('that is too far ahead is dated when it came, and says so', () => {
    const time = at(aheadMsMax + 1);
    expect(readObservation({ ...session, time }, receivedAt)).toMatchObject({
      occurredAt: receivedAt,
      clampedFrom: time,
    });
    expect(readObservation({ ...session, time: at(aheadMsMax) }, receivedAt)).not.toHaveProperty('clampedFrom');
  });

  it.each([
    ['undefined', undefined, 'invalid-event'],
    ['a list', [], 'invalid-event'],
    ['without data', { ...session, data: undefined }, 'invalid-data'],
    ['with text for data', { ...session, data: 'x' }, 'invalid-data'],
    ['of a type that every object has', { ...session, type: 'toString' }, 'unknown-type'],
    ['of a domain event that is no observation', { ...session, type: 'MessageSent' }, 'unknown-type'],
    ['with a field too many', { ...session, data: { ...session.data, colour: 1 } }, 'unknown-field'],
    ['with another content type', { ...session, datacontenttype: 'text/xml' }, 'invalid-event'],
    ['with a local time', { ...session, time: '2026-06-15T11:59:00+02:00' }, 'invalid-event'],
  ])('%s is refused', (_what, item, code) => {
    expect(codeOf(item)).toBe(code);
  });
});

// Golden events, as the log keeps them. Once released, a stored form is read for ever: these files are never changed; a
// new form gets a new type and a new file, and an upcaster. Sealed with the key of 32 bytes 0x07.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { brandDecider } from '../../src/domain/brand/brand.decider.js';
import { eventCatalog } from '../../src/domain/catalog.js';
import { conversationDecider } from '../../src/domain/conversation/conversation.decider.js';
import { friendshipDecider } from '../../src/domain/friendship/friendship.decider.js';
import { intentDecider } from '../../src/domain/intent/intent.decider.js';
import { memberDecider } from '../../src/domain/member/member.decider.js';
import { momentDecider } from '../../src/domain/moment/moment.decider.js';
import { observationDecider } from '../../src/domain/observation/observation.decider.js';
import { orderDecider } from '../../src/domain/order/order.decider.js';
import { productDecider } from '../../src/domain/product/product.decider.js';
import { readmarkDecider } from '../../src/domain/readmark/readmark.decider.js';
import { shareDecider } from '../../src/domain/share/share.decider.js';
import { sharelinkDecider } from '../../src/domain/sharelink/sharelink.decider.js';
import { shareopenDecider } from '../../src/domain/shareopen/shareopen.decider.js';
import { threadDecider } from '../../src/domain/thread/thread.decider.js';
import { decodeHidden, EventCodec, personalTable } from '../../src/event-log/codec.js';
import type { LogEvent } from '../../src/event-log/event-log.js';
import { type Decider, evolve } from '../../src/kernel/decider.js';
import type { Command, DomainEvent, EventMetadata } from '../../src/kernel/message.js';
import { usualDelays } from '../usual-settings.js';

interface Golden {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly metadata: EventMetadata;
  /** The personal fields, in clear. */
  readonly revealed?: Record<string, unknown>;
}

const folder = fileURLToPath(new URL('../fixtures/events/', import.meta.url));
const golden = readdirSync(folder)
  .map((name) => ({ name, ...(JSON.parse(readFileSync(`${folder}${name}`, 'utf8')) as Golden) }))
  .toSorted((a, b) => a.metadata.occurredAt.localeCompare(b.metadata.occurredAt));

const deciders = [
  memberDecider,
  brandDecider,
  productDecider,
  friendshipDecider,
  momentDecider,
  conversationDecider,
  threadDecider,
  readmarkDecider,
  shareDecider,
  sharelinkDecider,
  shareopenDecider,
  intentDecider(usualDelays),
  orderDecider,
  observationDecider,
] as unknown as readonly Decider<Command, DomainEvent, unknown>[];

function logEvent(event: Golden, revision = 0): LogEvent {
  return {
    id: event.id,
    type: event.type,
    stream: 'golden-1',
    revision,
    position: BigInt(revision),
    recordedAt: Date.parse(event.metadata.receivedAt),
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(event.data)),
    metadata: Buffer.from(JSON.stringify(event.metadata)),
  };
}

const goldenKey = Buffer.alloc(32, 7);
const codec = new EventCodec(
  { find: async () => goldenKey, findOrMake: async () => goldenKey },
  personalTable(eventCatalog),
);

describe('golden events', () => {
  it('there is one of every type in the catalog, and none of any other', () => {
    expect([...new Set(golden.map(({ type }) => type))].toSorted()).toEqual(Object.keys(eventCatalog).toSorted());
  });

  it.each(golden.map((event) => [event.name, event] as const))('%s is what its schema describes', async (_, event) => {
    const schema = eventCatalog[event.type];
    const hidden = decodeHidden(logEvent(event));
    expect(schema?.parse(hidden.data)).toEqual(hidden.data);
    const revealed = await codec.decode(logEvent(event), { reveal: true });
    expect(revealed.data).toEqual({ ...event.data, ...event.revealed });
    expect(schema?.parse(revealed.data)).toEqual(revealed.data);
  });

  it.each(deciders.map((decider) => [decider.category, decider] as const))('fold: %s', (_, decider) => {
    const past = golden.filter(({ type }) => Object.hasOwn(decider.evolve, type));
    expect(past.length).toBeGreaterThan(0);
    let state = decider.initialState;
    const states: object[] = [];
    for (const [revision, event] of past.entries()) {
      const { id, data, metadata } = decodeHidden(logEvent(event, revision));
      const { occurredAt, receivedAt } = metadata;
      state = evolve(decider, state, { type: event.type, data }, { id, revision, occurredAt, receivedAt });
      states.push({ after: event.name, state });
    }
    // States are not stored: a changed fold is looked at, and then told with `-u`.
    expect(states).toMatchSnapshot();
  });
});

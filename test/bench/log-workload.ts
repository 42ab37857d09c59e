// What is written and read in the log's lanes: many small streams and some busy ones, an event as the service records it.

import type { NewEvent } from '../../src/event-log/event-log.js';
import { deriveId } from '../../src/kernel/ids.js';
import { randomFrom } from '../crash/suite.js';

export interface MessageSent {
  readonly conversationId: string;
  readonly messageId: string;
  readonly senderId: string;
  readonly body: string;
  readonly sentAt: string;
  readonly attachments: readonly { readonly kind: string; readonly productRef: string; readonly priceMinor: number }[];
}

export interface WorkloadMetadata {
  readonly schemaVersion: number;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly occurredAt: string;
  readonly receivedAt: string;
  readonly correlationId: string;
  readonly source: string;
}

export const eventType = 'MessageSent';

export function messageSent(i: number): { readonly data: MessageSent; readonly metadata: WorkloadMetadata } {
  const at = new Date(1_767_225_600_000 + i * 37).toISOString();
  return {
    data: {
      conversationId: `conversation-${i % 977}`,
      messageId: deriveId('message', `${i}`),
      senderId: `member-${i % 313}`,
      body: 'Have you seen this one? It would go so well with the blue jacket. '.slice(0, 30 + (i % 37)),
      sentAt: at,
      attachments: [{ kind: 'product_card', productRef: `shop:${i % 4001}`, priceMinor: 1999 + (i % 500) }],
    },
    metadata: {
      schemaVersion: 1,
      actor: { kind: 'member', id: `member-${i % 313}` },
      occurredAt: at,
      receivedAt: at,
      correlationId: deriveId('correlation', `${i}`),
      source: 'client',
    },
  };
}

export function bytesOf(i: number): { readonly data: Buffer; readonly metadata: Buffer } {
  const { data, metadata } = messageSent(i);
  return { data: Buffer.from(JSON.stringify(data)), metadata: Buffer.from(JSON.stringify(metadata)) };
}

/** A string as it comes from the network: in one piece. What is put together from parts is copied when it is first used. */
function inOnePiece(text: string): string {
  return Buffer.from(text).toString();
}

export function newEvent(i: number, { data, metadata }: ReturnType<typeof bytesOf>, salt: string): NewEvent {
  return {
    id: inOnePiece(deriveId('event', salt, `${i}`)),
    type: eventType,
    contentType: 'application/json',
    data,
    metadata,
  };
}

export interface Step {
  readonly stream: string;
  /** Revision of the stream's last event before this step, -1 for none. */
  readonly last: number;
  /** Number of the step's first event. */
  readonly first: number;
  readonly size: number;
}

/**
 * The steps of each writer: its own streams only, so that every expected revision is right. Streams are drawn by Zipf's
 * law: some are busy, most are small.
 */
export function stepsPerWriter(writers: number, steps: number, size: number): readonly (readonly Step[])[] {
  const random = randomFrom(writers * 1_000_003 + steps * 31 + size);
  let first = 0;
  const each = Math.ceil(steps / writers);
  const streams = Math.max(4, Math.ceil((each * size) / 12));
  return Array.from({ length: writers }, (_, writer) => {
    const last = new Map<number, number>();
    return Array.from({ length: each }, (): Step => {
      const drawn = Math.min(streams - 1, Math.floor(streams ** random()) - 1);
      const before = last.get(drawn) ?? -1;
      last.set(drawn, before + size);
      const step = { stream: inOnePiece(`conversation-${writer}_${drawn}`), last: before, first, size };
      first += size;
      return step;
    });
  });
}

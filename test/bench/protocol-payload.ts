// The event that the protocol's lanes write and read: of the size of a usual one.
import { randomUUID } from 'node:crypto';
import type { NewEvent } from '../../src/event-log/event-log.js';

export const payloadType = 'MessageSent';
export const payloadData = {
  messageId: '3f0c2a54-8f0e-4a55-9d2b-6d1f3f6b2c11',
  conversationId: '8b1d2c63-0d4e-4f5a-8c7b-9e0f1a2b3c4d',
  senderId: 'm_4711',
  body: 'a message of a usual length, as people send them to one another',
  attachments: [{ kind: 'share_card', contentRef: { kind: 'moment', id: 'mo_12345' } }],
};
export const payloadMetadata = {
  schemaVersion: 1,
  actor: { kind: 'member', id: 'm_4711' },
  source: 'client',
  platform: 'ios',
};

export function payload(): NewEvent {
  return {
    id: randomUUID(),
    type: payloadType,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(payloadData)),
    metadata: Buffer.from(JSON.stringify(payloadMetadata)),
  };
}

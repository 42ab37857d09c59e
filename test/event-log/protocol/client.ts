// The official client as its users use it, and what the tests of the server share.
import {
  type AllStreamResolvedEvent,
  binaryEvent,
  EventStoreDBClient,
  jsonEvent,
  type ResolvedEvent,
} from '@eventstore/db-client';

export function connect(url: string): EventStoreDBClient {
  return EventStoreDBClient.connectionString(url);
}

export function jsonEvents(count: number, type = 'test') {
  return Array.from({ length: count }, (_, index) => jsonEvent({ type, data: { message: 'test', index } }));
}

export function binaryEvents(count: number, type = 'test') {
  return Array.from({ length: count }, (_, index) => binaryEvent({ type, data: Buffer.from(`hello: ${index}`) }));
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function types(events: readonly (ResolvedEvent | AllStreamResolvedEvent)[]): string[] {
  return events.map(({ event }) => event?.type ?? '');
}

/** What a promise is rejected with. @throws when it is not */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
}

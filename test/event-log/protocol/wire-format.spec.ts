// The hand-written bytes are those of the protocol: what the writer makes, the client's generated classes read field by
// field, and what those classes make, the readers understand.

import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  AppendTooLarge,
  type ExpectedRevision,
  LogDamaged,
  type LogEvent,
  LogFull,
  LogUnavailable,
  StreamDeleted,
  WrongExpectedRevision,
} from '../../../src/event-log/event-log.js';
import { appendChunks, readAppendAnswer, resultOf } from '../../../src/event-log/eventstoredb/append/append-message.js';
import { readAnswer } from '../../../src/event-log/eventstoredb/read/read-answer.js';
import { ProtobufReader } from '../../../src/event-log/protobuf/reader.js';
import { readBatchAppendChunk, readProposedEvent } from '../../../src/event-log/protocol/append/append-requests.js';
import { errorAnswer, successAnswer } from '../../../src/event-log/protocol/append/batch-answers.js';
import { AppendTimedOut } from '../../../src/event-log/protocol/exceptions.js';
import {
  caughtUpResponse,
  checkpointResponse,
  confirmationResponse,
  eventResponse,
  streamNotFoundResponse,
} from '../../../src/event-log/protocol/read/read-response.js';
import { readUuid, streamNameOf } from '../../../src/event-log/protocol/request-fields.js';

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 300 });
const contentType = fc.constantFrom('application/json' as const, 'application/octet-stream' as const);
const newEvent = fc.record({ id: fc.uuid(), type: name, contentType, data: bytes, metadata: bytes });
const position = fc.bigInt({ min: 1n, max: 2n ** 62n });
const recorded: fc.Arbitrary<LogEvent> = fc
  .tuple(newEvent, name, fc.nat(2 ** 40), position, fc.nat(2 ** 42))
  .map(([event, stream, revision, at, recordedAt]) => ({ ...event, stream, revision, position: at, recordedAt }));
const expected: fc.Arbitrary<ExpectedRevision> = fc.oneof(
  fc.nat(),
  fc.constantFrom('any' as const, 'no_stream' as const, 'stream_exists' as const),
);

function uuidOf(message: shared.UUID | undefined): string {
  return message ? readUuid(new ProtobufReader(Buffer.from(message.serializeBinary()))) : '';
}

describe('read answers', () => {
  it.each(['string', 'structured'] as const)('an event, its id as %s, is what the generated classes read', (format) => {
    fc.assert(
      fc.property(recorded, (event) => {
        const answer = streams.ReadResp.deserializeBinary(eventResponse({ event }, event.position, format));
        const read = answer.getEvent()?.getEvent();
        const metadata = read?.getMetadataMap();
        expect({
          id: uuidOf(read?.getId()),
          stream: Buffer.from(read?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8'),
          revision: Number(read?.getStreamRevision()),
          position: BigInt(read?.getCommitPosition() ?? 0),
          type: metadata?.get('type'),
          contentType: metadata?.get('content-type'),
          recordedAt: Number(BigInt(metadata?.get('created') ?? 0) / 10_000n),
          data: Buffer.from(read?.getData_asU8() ?? []),
          metadata: Buffer.from(read?.getCustomMetadata_asU8() ?? []),
        }).toEqual({ ...event, data: Buffer.from(event.data), metadata: Buffer.from(event.metadata) });
        expect(read?.getPreparePosition()).toBe(read?.getCommitPosition());
        expect(answer.getEvent()?.getCommitPosition()).toBe(event.position.toString());
        expect(uuidOf(read?.getId())).toBe(event.id);
      }),
    );
  });

  it('an event comes back as it was through the adapter', () => {
    fc.assert(
      fc.property(recorded, (event) => {
        const answer = readAnswer(eventResponse({ event }, event.position, 'string'));
        expect(answer).toEqual({
          kind: 'event',
          event: { ...event, data: expect.anything(), metadata: expect.anything() },
        });
        if (answer.kind !== 'event') return;
        expect(Buffer.from(answer.event.data)).toEqual(Buffer.from(event.data));
        expect(Buffer.from(answer.event.metadata)).toEqual(Buffer.from(event.metadata));
      }),
    );
  });

  it('a resolved link has both, a link to nothing only itself', () => {
    fc.assert(
      fc.property(recorded, fc.option(recorded, { nil: undefined }), (link, event) => {
        const answer = streams.ReadResp.deserializeBinary(eventResponse({ event, link }, link.position, 'string'));
        expect(uuidOf(answer.getEvent()?.getLink()?.getId())).toBe(link.id);
        expect(answer.getEvent()?.hasEvent()).toBe(event !== undefined);
        expect(answer.getEvent()?.getCommitPosition()).toBe(link.position.toString());
      }),
    );
  });

  it('a tombstone has the number 2^63 - 1', () => {
    const [event] = fc.sample(recorded, 1) as [LogEvent];
    const tombstone = { ...event, revision: Number.MAX_SAFE_INTEGER };
    const answer = streams.ReadResp.deserializeBinary(eventResponse({ event: tombstone }, 1n, 'string'));
    expect(answer.getEvent()?.getEvent()?.getStreamRevision()).toBe('9223372036854775807');
  });

  it('marks and misses', () => {
    expect(streams.ReadResp.deserializeBinary(confirmationResponse('abc')).getConfirmation()?.getSubscriptionId()).toBe(
      'abc',
    );
    expect(streams.ReadResp.deserializeBinary(caughtUpResponse()).hasCaughtUp()).toBe(true);
    const checkpoint = streams.ReadResp.deserializeBinary(checkpointResponse(2n ** 60n)).getCheckpoint();
    expect([checkpoint?.getCommitPosition(), checkpoint?.getPreparePosition()]).toEqual([
      `${2n ** 60n}`,
      `${2n ** 60n}`,
    ]);
    const missing = streams.ReadResp.deserializeBinary(streamNotFoundResponse('größe')).getStreamNotFound();
    expect(streamNameOf(missing?.getStreamIdentifier()?.getStreamName_asU8())).toBe('größe');
  });
});

describe('append messages', () => {
  it('what the adapter sends is what was to be appended, in as many chunks as it takes', () => {
    fc.assert(
      fc.property(name, expected, fc.array(newEvent, { maxLength: 8 }), fc.uuid(), (stream, revision, events, id) => {
        const chunks = appendChunks(id, { stream, expected: revision, events });
        const messages = chunks.map((chunk) => streams.BatchAppendReq.deserializeBinary(chunk));
        expect(messages.map((message) => message.getIsFinal())).toEqual(chunks.map((_, i) => i === chunks.length - 1));
        expect(messages.map((message) => message.hasOptions())).toEqual(chunks.map((_, i) => i === 0));
        const proposed = messages.flatMap((message) => message.getProposedMessagesList());
        expect(proposed.map((message) => message.getId()?.getString())).toEqual(events.map((event) => event.id));
        expect(proposed.map((message) => Buffer.from(message.getData_asU8()))).toEqual(
          events.map((event) => Buffer.from(event.data)),
        );
        const options = messages[0]?.getOptions();
        expect(streamNameOf(options?.getStreamIdentifier()?.getStreamName_asU8())).toBe(stream);
        if (typeof revision === 'number') expect(options?.getStreamPosition()).toBe(String(revision));
        const read = readBatchAppendChunk(chunks[0] as Buffer);
        expect(read.options?.expected).toBe(revision);
        expect(streamNameOf(read.options?.nameBytes)).toBe(stream);
        expect(chunks.flatMap((chunk) => readBatchAppendChunk(chunk).proposed.map(readProposedEvent))).toEqual(
          events.map((event) => ({ ...event, data: Buffer.from(event.data), metadata: Buffer.from(event.metadata) })),
        );
      }),
    );
  });

  it('a chunk is closed before it is over 3 MiB', () => {
    const events = fc.sample(newEvent, 5).map((event) => ({ ...event, data: Buffer.alloc(1024 * 1024) }));
    const chunks = appendChunks('00000000-0000-4000-8000-000000000001', { stream: 's', expected: 'any', events });
    expect(chunks.length).toBe(3);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThan(3 * 1024 * 1024 + 200);
  });
});

describe('append answers', () => {
  const correlationId = '00000000-0000-4000-8000-000000000001';
  const uuid = new shared.UUID();
  uuid.setString(correlationId);
  const streamIdentifier = new shared.StreamIdentifier();
  streamIdentifier.setStreamName(Buffer.from('größe', 'utf8'));
  const identity = {
    correlationId: Buffer.from(uuid.serializeBinary()),
    streamIdentifier: Buffer.from(streamIdentifier.serializeBinary()),
  };
  const request = { stream: 'größe', expected: 3, events: [] } as const;

  it('a success names the last revision and its position', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 40), position, (revision, at) => {
        const bytesOf = successAnswer(identity, { revision, position: at });
        const answer = streams.BatchAppendResp.deserializeBinary(bytesOf);
        expect(answer.getCorrelationId()?.getString()).toBe(correlationId);
        expect(answer.getSuccess()?.getCurrentRevision()).toBe(String(revision));
        expect(answer.getSuccess()?.getPosition()?.getPreparePosition()).toBe(at.toString());
        expect(resultOf(readAppendAnswer(bytesOf), request)).toEqual({ revision, position: at });
      }),
    );
  });

  it('an empty append to no stream names neither', () => {
    const bytesOf = successAnswer(identity, { revision: -1, position: 0n });
    const answer = streams.BatchAppendResp.deserializeBinary(bytesOf);
    expect([answer.getSuccess()?.hasNoStream(), answer.getSuccess()?.hasNoPosition()]).toEqual([true, true]);
    expect(resultOf(readAppendAnswer(bytesOf), request)).toEqual({ revision: -1, position: 0n });
  });

  const named = (error: unknown) => {
    const bytesOf = errorAnswer(identity, error);
    const answer = streams.BatchAppendResp.deserializeBinary(bytesOf);
    expect(streamNameOf(answer.getStreamIdentifier()?.getStreamName_asU8())).toBe('größe');
    let thrown: unknown;
    try {
      resultOf(readAppendAnswer(bytesOf), request);
    } catch (caught) {
      thrown = caught;
    }
    return { details: answer.getError()?.getDetails(), thrown };
  };

  it('a wrong expected version carries both versions', () => {
    const { details, thrown } = named(new WrongExpectedRevision('größe', 3, 7));
    const wrong = details?.unpack(
      (packed) => shared.WrongExpectedVersion.deserializeBinary(packed),
      'event_store.client.WrongExpectedVersion',
    );
    expect([wrong?.getCurrentStreamRevision(), wrong?.getExpectedStreamPosition()]).toEqual(['7', '3']);
    expect(thrown).toEqual(new WrongExpectedRevision('größe', 3, 7));
    const none = named(new WrongExpectedRevision('größe', 'stream_exists', -1)).details;
    const unpacked = none?.unpack(
      (packed) => shared.WrongExpectedVersion.deserializeBinary(packed),
      'event_store.client.WrongExpectedVersion',
    );
    expect([unpacked?.hasCurrentNoStream(), unpacked?.hasExpectedStreamExists()]).toEqual([true, true]);
  });

  it('every other failure has its name, and comes back as the error it was', () => {
    expect(named(new StreamDeleted('größe')).details?.getTypeName()).toBe('event_store.client.StreamDeleted');
    expect(named(new StreamDeleted('größe')).thrown).toBeInstanceOf(StreamDeleted);
    const tooLarge = named(new AppendTooLarge(1000, 2000));
    const size = tooLarge.details?.unpack(
      (packed) => shared.MaximumAppendSizeExceeded.deserializeBinary(packed),
      'event_store.client.MaximumAppendSizeExceeded',
    );
    expect(size?.getMaxappendsize()).toBe(1000);
    expect(tooLarge.thrown).toMatchObject({ limitBytes: 1000 });
    expect(named(new AppendTimedOut()).details?.getTypeName()).toBe('event_store.client.Timeout');
    expect(named(new LogUnavailable('busy')).thrown).toBeInstanceOf(LogUnavailable);
    expect(named(new LogFull('no room')).thrown).toBeInstanceOf(LogFull);
    expect(named(new LogDamaged('a bad record')).thrown).toBeInstanceOf(LogDamaged);
    expect(named(new Error('odd')).details?.getTypeName()).toBe('event_store.client.Unknown');
  });
});

describe('bytes that are no message', () => {
  it('are refused, never read beyond', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (junk) => {
        for (const read of [readBatchAppendChunk, readProposedEvent, readAnswer, readAppendAnswer]) {
          try {
            read(Buffer.from(junk));
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
      }),
    );
  });
});

// Requests that EventStoreDB's Node client does not send and other clients do: hints of where a stream begins and ends,
// filtered reads, ids as two 64-bit halves, a deadline as a duration, requests that cannot be.
import { randomUUID } from 'node:crypto';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NewEvent } from '../../../src/event-log/event-log.js';
import { fieldSize, ProtobufWriter, varintSize } from '../../../src/event-log/protobuf/writer.js';
import { firstStreamPosition } from '../../../src/event-log/protocol/read/read-call.js';
import { newEvent } from '../eventstoredb/new-events.js';
import { type Served, serveLog } from './serve-log.js';

let served: Served;
let client: InstanceType<typeof streamsGrpc.StreamsClient>;
beforeAll(async () => {
  served = await serveLog();
  client = new streamsGrpc.StreamsClient(`127.0.0.1:${served.port}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await served.close();
});

type Change = (options: streams.ReadReq.Options) => void;

function named(stream: string): shared.StreamIdentifier {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(new Uint8Array(Buffer.from(stream)));
  return identifier;
}

const ofStream =
  (stream: string, from?: number): Change =>
  (options) => {
    const target = new streams.ReadReq.Options.StreamOptions();
    target.setStreamIdentifier(named(stream));
    if (from === undefined) target.setStart(new shared.Empty());
    else target.setRevision(String(from));
    options.setStream(target);
  };

const ofAll: Change = (options) => {
  const target = new streams.ReadReq.Options.AllOptions();
  target.setStart(new shared.Empty());
  options.setAll(target);
};

const compatible: Change = (options) => {
  const control = new streams.ReadReq.Options.ControlOption();
  control.setCompatibility(1);
  options.setControlOption(control);
};

function filtered(
  kind: 'EventType' | 'StreamIdentifier',
  by: { readonly regex?: string; readonly prefixes?: readonly string[]; readonly multiplier?: number },
): Change {
  return (options) => {
    const expression = new streams.ReadReq.Options.FilterOptions.Expression();
    if (by.regex !== undefined) expression.setRegex(by.regex);
    expression.setPrefixList([...(by.prefixes ?? [])]);
    const filter = new streams.ReadReq.Options.FilterOptions();
    filter[`set${kind}`](expression);
    filter.setMax(32);
    filter.setCheckpointintervalmultiplier(by.multiplier ?? 1);
    options.setFilter(filter);
  };
}

/** Answers until the read ends. @throws the call's failure */
function read(count: number | 'subscription', ...changes: readonly Change[]): Promise<streams.ReadResp[]> {
  const options = new streams.ReadReq.Options();
  if (count === 'subscription') options.setSubscription(new streams.ReadReq.Options.SubscriptionOptions());
  else options.setCount(String(count));
  options.setNoFilter(new shared.Empty());
  for (const change of changes) change(options);
  const request = new streams.ReadReq();
  request.setOptions(options);
  return new Promise((resolve, reject) => {
    const answers: streams.ReadResp[] = [];
    const call = client.read(request);
    call.on('data', (answer: streams.ReadResp) => answers.push(answer));
    call.on('error', reject);
    call.on('end', () => resolve(answers));
  });
}

function told(answers: readonly streams.ReadResp[]): string[] {
  return answers.map((answer) => {
    if (answer.hasFirstStreamPosition()) return `first ${answer.getFirstStreamPosition()}`;
    if (answer.hasLastStreamPosition()) return `last ${answer.getLastStreamPosition()}`;
    return `event ${answer.getEvent()?.getEvent()?.getStreamRevision()}`;
  });
}

const several = (count: number, type = 'Tested'): NewEvent[] => Array.from({ length: count }, () => newEvent(type));

describe('compatibility 1', () => {
  it('brings the last position after the events, and none without it', async () => {
    await served.log.append('ends', several(3), 'no_stream');
    expect(told(await read(10, ofStream('ends'), compatible))).toEqual(['event 0', 'event 1', 'event 2', 'last 2']);
    expect(told(await read(10, ofStream('ends')))).toEqual(['event 0', 'event 1', 'event 2']);
    expect(told(await read(10, ofStream('ends', 3), compatible))).toEqual(['last 2']);
    expect(told(await read(10, ofStream('ends', 7), compatible))).toEqual(['first 3', 'last 2']);
  });

  it('brings the first position before the events where the first page of the real server would be empty', async () => {
    await served.log.append('truncated', several(60), 'no_stream');
    await served.log.setStreamMetadata('truncated', { truncateBefore: 50 });
    const [hint, ...rest] = told(await read(4, ofStream('truncated'), compatible));
    expect([hint, rest]).toEqual(['first 50', ['event 50', 'event 51', 'event 52', 'event 53', 'last 59']]);
    expect(told(await read(100, ofStream('truncated', 48), compatible))[0]).toBe('event 50');
    await served.log.setStreamMetadata('truncated', { truncateBefore: 60 });
    expect(told(await read(100, ofStream('truncated', 48), compatible))).toEqual(['first 60', 'last 59']);
  });

  it.each([
    ['from the start', 0, 100, 0, 9, undefined],
    ['from within', 5, 1, 0, 9, undefined],
    ['from right after the end', 10, 1, 0, 9, undefined],
    ['from far after the end', 30, 1, 0, 9, 10],
    ['a page that ends before what is visible', 0, 32, 32, 40, 32],
    ['a page that reaches what is visible', 0, 33, 31, 40, undefined],
    ['a small page that does not', 3, 2, 5, 9, 5],
    ['all of it truncated', 0, 100, 10, 9, 10],
  ])('%s', (_, from, limit, firstRevision, lastRevision, position) => {
    expect(firstStreamPosition(from, limit, { firstRevision, lastRevision })).toBe(position);
  });
});

describe('ids', () => {
  it('come as two halves where no text is asked for', async () => {
    const event = newEvent();
    await served.log.append('halves', [event], 'no_stream');
    const [answer] = await read(1, ofStream('halves'));
    const id = answer?.getEvent()?.getEvent()?.getId();
    expect(id?.hasString()).toBe(false);
    const half = (text = '0') => BigInt.asUintN(64, BigInt(text)).toString(16).padStart(16, '0');
    const { mostSignificantBits: most, leastSignificantBits: least } = id?.getStructured()?.toObject() ?? {};
    expect(half(most) + half(least)).toBe(event.id.replaceAll('-', ''));
  });

  it('are taken as two halves, signed as they may be, and come back as text', async () => {
    const id = 'fedcba98-7654-4210-9abc-def012345678';
    const structured = new shared.UUID.Structured();
    structured.setMostSignificantBits(BigInt.asIntN(64, 0xfedcba9876544210n).toString());
    structured.setLeastSignificantBits(BigInt.asIntN(64, 0x9abcdef012345678n).toString());
    const uuid = new shared.UUID();
    uuid.setStructured(structured);
    await batchAppend('from halves', { id: uuid });
    const events: string[] = [];
    for await (const page of served.log.readStream('from halves')) events.push(...page.map((event) => event.id));
    expect(events).toEqual([id]);
  });
});

describe('filtered reads of $all', () => {
  it('give what the filter takes, up to the count', async () => {
    await served.log.append('filter-a', several(3, 'Wanted'), 'no_stream');
    await served.log.append('filter-b', [...several(2, 'Other'), ...several(2, 'wanted too')], 'no_stream');
    const found = async (count: number, filter: Change) =>
      (await read(count, ofAll, filter)).map((answer) => {
        const event = answer.getEvent()?.getEvent();
        const stream = Buffer.from(event?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();
        return `${stream}@${event?.getStreamRevision()}`;
      });
    const all = ['filter-a@0', 'filter-a@1', 'filter-a@2', 'filter-b@2', 'filter-b@3'];
    expect(await found(100, filtered('EventType', { prefixes: ['Wanted', 'wanted'] }))).toEqual(all);
    expect(await found(4, filtered('EventType', { prefixes: ['Wanted', 'wanted'] }))).toEqual(all.slice(0, 4));
    expect(await found(100, filtered('EventType', { regex: '(?i)^WANTED' }))).toEqual(all);
    expect(await found(100, filtered('EventType', { regex: '^WANTED' }))).toEqual([]);
    expect(await found(100, filtered('StreamIdentifier', { regex: '(?im)^FILTER-B' }))).toHaveLength(4);
    expect(await found(100, filtered('StreamIdentifier', { prefixes: ['filter-'], multiplier: 0 }))).toHaveLength(7);
  });
});

describe('requests that cannot be', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['an expression that is none', () => read(1, ofAll, filtered('EventType', { regex: '(?i)(' }))],
    ['an expression with half a character', () => read(1, ofAll, filtered('EventType', { regex: '\ud800(' }))],
    ['a count of 0', () => read(0, ofStream('halves'))],
    ['a multiplier of 0', () => read('subscription', ofAll, filtered('EventType', { prefixes: ['x'], multiplier: 0 }))],
    [
      'a name that is cut in the middle of a character',
      () => batchAppend(`${'x'.repeat(39)}😀${'x'.repeat(2_048)}`, {}),
    ],
  ])('%s is an invalid argument', async (_, ask) => {
    const error = await ask().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('a delete whose refusal names half a character gets a status', async () => {
    const options = new streams.DeleteReq.Options();
    options.setStreamIdentifier(named(`${'x'.repeat(39)}😀${'x'.repeat(2_048)}`));
    options.setAny(new shared.Empty());
    const request = new streams.DeleteReq();
    request.setOptions(options);
    const error = await new Promise<ServiceError | null>((resolve) =>
      client.delete(request, (failed) => resolve(failed)),
    );
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

describe('a deadline as a duration', () => {
  it('is kept: an append that is not complete by then is answered with Timeout', async () => {
    const began = Date.now();
    await expect(batchAppend('in time', { deadlineMs: 150, isFinal: false })).rejects.toMatchObject({
      type: 'event_store.client.Timeout',
    });
    expect(Date.now() - began).toBeGreaterThanOrEqual(140);
    expect(Date.now() - began).toBeLessThan(1_900);
    expect(served.log.streamInfo('in time').status).toBe('missing');
    await batchAppend('in time', { deadlineMs: 1_500 });
    expect(served.log.streamInfo('in time').lastRevision).toBe(0);
  });
});

/** One append of one event on a call of its own. @throws what the answer says */
function batchAppend(
  stream: string,
  append: { readonly id?: shared.UUID; readonly deadlineMs?: number; readonly isFinal?: boolean },
): Promise<void> {
  const text = (value: string) => {
    const uuid = new shared.UUID();
    uuid.setString(value);
    return uuid;
  };
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(append.id ?? text(randomUUID()));
  message.getMetadataMap().set('type', 'Tested').set('content-type', 'application/json');
  message.setData(new Uint8Array(Buffer.from('{}')));
  const options = new streams.BatchAppendReq.Options();
  options.setStreamIdentifier(named(stream));
  options.setAny(new shared.Empty());
  const request = new streams.BatchAppendReq();
  request.setCorrelationId(text(randomUUID()));
  request.addProposedMessages(message);
  request.setIsFinal(append.isFinal ?? true);
  // The client's own class does not know the duration, field 7 of the options (field 2).
  const target = [Buffer.from(options.serializeBinary()), duration(append.deadlineMs)];
  const bytes = Buffer.concat([Buffer.from(request.serializeBinary()), delimited(2, Buffer.concat(target))]);
  return new Promise((resolve, reject) => {
    const { path, responseDeserialize } = streamsGrpc.StreamsService.batchAppend;
    const call = client.makeBidiStreamRequest<Buffer, streams.BatchAppendResp>(
      path,
      (chunk) => chunk,
      responseDeserialize,
    );
    call.on('error', reject);
    call.on('data', (answer: streams.BatchAppendResp) => {
      const error = answer.getError();
      const type = error?.getDetails()?.getTypeName();
      if (error) reject(Object.assign(new Error(error.getMessage()), { code: error.getCode(), type }));
      else resolve();
      call.end();
    });
    call.write(bytes);
  });
}

function delimited(field: number, message: Buffer): Buffer {
  const writer = new ProtobufWriter(fieldSize(message.length));
  writer.bytes(field, message);
  return writer.finish();
}

function duration(ms: number | undefined): Buffer {
  if (ms === undefined) return Buffer.alloc(0);
  const [seconds, nanos] = [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000];
  const writer = new ProtobufWriter(2 + varintSize(seconds) + varintSize(nanos));
  writer.uint64(1, seconds);
  writer.uint64(2, nanos);
  return delimited(7, writer.finish());
}

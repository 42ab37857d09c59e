// BatchAppend message by message, as no client of ours would send it: each append is answered exactly once, with the
// stream's name, and nothing is written late, in part or twice.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { type ClientDuplexStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import { ProtocolServer } from '../../../src/event-log/protocol/protocol-server.js';
import { newEvent } from '../eventstoredb/new-events.js';
import { appendBytesMax, type Served, serveLog } from './serve-log.js';

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

type Call = ClientDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>;
let call: Call;
let answers: { readonly id: string; readonly stream: string; readonly outcome: string }[];
let ended: Promise<void>;
beforeEach(() => use(client.batchAppend()));

function use(begun: Call): void {
  call = begun;
  answers = [];
  call.on('data', (answer: streams.BatchAppendResp) => {
    const type = answer.getError()?.getDetails()?.getTypeName();
    answers.push({
      id: answer.getCorrelationId()?.getString() ?? '',
      stream: Buffer.from(answer.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8'),
      outcome: type?.slice(type.lastIndexOf('.') + 1) ?? `revision ${answer.getSuccess()?.getCurrentRevision()}`,
    });
  });
  ended = new Promise((resolve, reject) => {
    call.on('end', resolve);
    call.on('error', reject);
  });
  // Whoever waits for the end hears of a failure; a call that a test cancels is waited for by nobody.
  ended.catch(() => undefined);
}

interface Chunk {
  readonly id: string;
  readonly stream?: string;
  readonly events?: number;
  readonly bytes?: number;
  readonly final?: boolean;
  /** Milliseconds since 1970. */
  readonly deadlineAt?: number;
  readonly type?: string;
}

/** The class of the field: the package that has it is not ours to import. */
function timestamp(ms: number) {
  const sample = streams.BatchAppendReq.Options.deserializeBinary(Uint8Array.from([0x32, 0x00])).getDeadline();
  if (!sample) throw new Error('field 6 is the deadline');
  sample.setSeconds(Math.floor(ms / 1_000));
  sample.setNanos((ms % 1_000) * 1_000_000);
  return sample;
}

function send(chunk: Chunk): void {
  const { id, stream, events = 1, bytes = 2, final = true, type = 't' } = chunk;
  const uuid = new shared.UUID();
  uuid.setString(id);
  const request = new streams.BatchAppendReq();
  request.setCorrelationId(uuid);
  request.setIsFinal(final);
  if (stream !== undefined) {
    const identifier = new shared.StreamIdentifier();
    identifier.setStreamName(new Uint8Array(Buffer.from(stream)));
    const options = new streams.BatchAppendReq.Options();
    options.setStreamIdentifier(identifier);
    options.setAny(new shared.Empty());
    if (chunk.deadlineAt !== undefined) options.setDeadline(timestamp(chunk.deadlineAt));
    request.setOptions(options);
  }
  for (let i = 0; i < events; i++) {
    const eventId = new shared.UUID();
    eventId.setString(randomUUID());
    const message = new streams.BatchAppendReq.ProposedMessage();
    message.setId(eventId);
    if (type !== '') message.getMetadataMap().set('type', type);
    message.getMetadataMap().set('content-type', 'application/json');
    message.setData(new Uint8Array(Buffer.alloc(bytes, '1')));
    request.addProposedMessages(message);
  }
  call.write(request);
}

/** Half-closes and waits for the server to end the call, which it does once everything is answered. */
async function finish(): Promise<void> {
  call.end();
  await ended;
}

const revisionOf = (stream: string) => served.log.streamInfo(stream).lastRevision;

describe('every append is answered exactly once', () => {
  it('many at a time, each under its own id', async () => {
    const ids = Array.from({ length: 200 }, () => randomUUID());
    for (const [i, id] of ids.entries()) send({ id, stream: `many-${i % 7}`, events: (i % 3) + 1 });
    await finish();
    expect(answers.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(answers.every(({ stream, outcome }) => stream.startsWith('many-') && outcome.startsWith('revision'))).toBe(
      true,
    );
  });

  it('in chunks that are mixed with those of others', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    send({ id: a, stream: 'mixed-a', final: false });
    send({ id: b, stream: 'mixed-b', final: false });
    send({ id: a, final: false, events: 2 });
    send({ id: b });
    send({ id: a, events: 0 });
    await finish();
    expect(answers.map(({ id, outcome }) => [id, outcome])).toEqual(
      expect.arrayContaining([
        [a, 'revision 2'],
        [b, 'revision 1'],
      ]),
    );
    expect(answers).toHaveLength(2);
  });

  it('too large: refused once, and what still comes of it is ignored', async () => {
    const id = randomUUID();
    send({ id, stream: 'large', bytes: 700_000, final: false });
    send({ id, bytes: 700_000, final: false });
    send({ id, bytes: 700_000, final: false });
    send({ id, bytes: 10 });
    await finish();
    expect(answers).toEqual([{ id, stream: 'large', outcome: 'MaximumAppendSizeExceeded' }]);
    expect(revisionOf('large')).toBe(-1);
  });

  it('without a type, without a stream, with an id that is none: refused by name', async () => {
    const ids = [randomUUID(), randomUUID()];
    send({ id: ids[0] as string, stream: 'no type', type: '' });
    send({ id: ids[1] as string, stream: '' });
    await finish();
    expect(answers).toEqual([
      { id: ids[0], stream: 'no type', outcome: 'BadRequest' },
      { id: ids[1], stream: '', outcome: 'BadRequest' },
    ]);
  });

  it('chunks of an append that was never begun are ignored', async () => {
    send({ id: randomUUID() });
    const id = randomUUID();
    send({ id, stream: 'begun' });
    await finish();
    expect(answers.map((answer) => answer.id)).toEqual([id]);
  });
});

describe('an append that is not complete in time', () => {
  it('is answered with Timeout at the deadline and never written, although the rest comes', async () => {
    const id = randomUUID();
    send({ id, stream: 'late', final: false });
    // The server waits 2 s for the rest at most, whatever the client allows.
    while (answers.length === 0) await pause(20);
    expect(answers).toEqual([{ id, stream: 'late', outcome: 'Timeout' }]);
    send({ id });
    await finish();
    expect(answers).toHaveLength(1);
    expect(revisionOf('late')).toBe(-1);
  });

  it('is not written either when the client half-closes or goes away', async () => {
    const id = randomUUID();
    send({ id, stream: 'half', final: false });
    await finish();
    expect(answers).toEqual([{ id, stream: 'half', outcome: 'Timeout' }]);
    const other = client.batchAppend();
    other.on('error', () => undefined);
    use(other as Call);
    send({ id: randomUUID(), stream: 'gone', final: false });
    await new Promise((resolve) => setImmediate(resolve));
    other.cancel();
    await served.log.append('after', [], 'any');
    expect([revisionOf('half'), revisionOf('gone')]).toEqual([-1, -1]);
  });
});

it('a request that is no message ends the call and not the server', async () => {
  const { path } = streamsGrpc.StreamsService.batchAppend;
  const raw = client.makeBidiStreamRequest<Buffer, Buffer>(
    path,
    (bytes) => bytes,
    (bytes) => bytes,
  );
  const failed = new Promise<Error>((resolve) => raw.on('error', resolve));
  raw.write(Buffer.from([0x0a, 0xff, 0xff, 0xff]));
  expect(await failed).toMatchObject({ code: 13 });
  const id = randomUUID();
  send({ id, stream: 'still served' });
  await finish();
  expect(answers).toEqual([{ id, stream: 'still served', outcome: 'revision 0' }]);
});

describe('a log that takes its time', () => {
  // Nothing of the stream `slow` is written before the gate opens.
  let open: () => void = () => undefined;
  let reached: Promise<void>;
  let deletion: Promise<void>;
  let decided: () => void = () => undefined;
  let server: ProtocolServer;
  let other: InstanceType<typeof streamsGrpc.StreamsClient>;
  beforeEach(async () => {
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    deletion = new Promise((resolve) => {
      decided = resolve;
    });
    const slow: EmbeddedEventLog = Object.create(served.log);
    let arrived: () => void = () => undefined;
    reached = new Promise((resolve) => {
      arrived = resolve;
    });
    slow.append = async (...append) => {
      if (append[0] === 'slow') {
        arrived();
        await gate;
      }
      return served.log.append(...append);
    };
    // The turn of a delete comes when its caller has given up, and no sooner.
    const givenUp = async (options: { readonly signal?: { readonly aborted: boolean } } | undefined) => {
      while (options?.signal?.aborted === false) await pause(5);
    };
    slow.deleteStream = async (...asked) => {
      await givenUp(asked[2]);
      return served.log.deleteStream(...asked).finally(decided);
    };
    slow.tombstoneStream = async (...asked) => {
      await givenUp(asked[2]);
      return served.log.tombstoneStream(...asked).finally(decided);
    };
    server = await ProtocolServer.start({ log: slow, appendBytesMax, waitingBytesMax: 100_000 });
    other = new streamsGrpc.StreamsClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
    call.end();
    use(other.batchAppend());
  });
  afterEach(async () => {
    open();
    other.close();
    await server.close();
  });

  it('an append whose turn comes after its deadline is answered with Timeout and never written', async () => {
    const id = randomUUID();
    const due = Date.now() + 200;
    send({ id, stream: 'slow', deadlineAt: due });
    while (Date.now() <= due) await pause(due - Date.now() + 1);
    open();
    await finish();
    expect(answers).toEqual([{ id, stream: 'slow', outcome: 'Timeout' }]);
    expect(revisionOf('slow')).toBe(-1);
  });

  it('an append for which there is no room waits until its deadline, on another call, too', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    send({ id: first, stream: 'slow', bytes: 90_000 });
    await reached;
    use(other.batchAppend());
    send({ id: second, stream: 'no room', bytes: 90_000, deadlineAt: Date.now() + 200 });
    while (answers.length === 0) await pause(10);
    expect(answers).toEqual([{ id: second, stream: 'no room', outcome: 'Timeout' }]);
    open();
    await finish();
    expect(answers).toHaveLength(1);
    expect(revisionOf('no room')).toBe(-1);
  });

  it.each([
    ['delete', () => new streams.DeleteReq.Options(), () => new streams.DeleteReq()],
    ['tombstone', () => new streams.TombstoneReq.Options(), () => new streams.TombstoneReq()],
  ] as const)('a %s whose caller gave up before its turn came is never written', async (method, makeOptions, make) => {
    const stream = `given up ${method}`;
    await served.log.append(stream, [newEvent()], 'no_stream');
    const identifier = new shared.StreamIdentifier();
    identifier.setStreamName(new Uint8Array(Buffer.from(stream)));
    const options = makeOptions();
    options.setStreamIdentifier(identifier);
    options.setAny(new shared.Empty());
    const request = make();
    request.setOptions(options as never);
    const { path, requestSerialize } = streamsGrpc.StreamsService[method];
    const head = await served.log.head();
    const deadline = Date.now() + 200;
    const error = await new Promise<ServiceError | null>((resolve) => {
      const serialize = requestSerialize as (asked: unknown) => Buffer;
      other.makeUnaryRequest(path, serialize, (bytes) => bytes, request, new Metadata(), { deadline }, resolve);
    });
    expect(error).toMatchObject({ code: 4 });
    await deletion;
    expect(await served.log.head()).toBe(head);
    expect(served.log.streamInfo(stream).status).toBe('live');
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  claimedSize,
  endsUnit,
  isIntact,
  looksLikeHeader,
  readRecord,
  readRecordId,
  readRecordKey,
  readUuid,
  recordSizeMax,
  sealRecord,
  tombstoneRevision,
  writeRecord,
  writeUuid,
} from '../../../src/event-log/embedded/storage/record.js';
import type { NewEvent } from '../../../src/event-log/event-log.js';

const stored = fc.record({
  event: fc.record({
    id: fc.uuid(),
    type: fc.string({ minLength: 1, unit: 'grapheme' }),
    contentType: fc.constantFrom('application/json' as const, 'application/octet-stream' as const),
    data: fc.uint8Array({ maxLength: 300 }),
    metadata: fc.uint8Array({ maxLength: 100 }),
  }),
  stream: fc.string({ minLength: 1, unit: 'grapheme' }),
  revision: fc.oneof(fc.nat(), fc.constantFrom(2 ** 40, tombstoneRevision)),
  recordedAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  position: fc.maxSafeNat(),
  isLast: fc.boolean(),
  before: fc.nat({ max: 40 }),
});

interface Stored {
  readonly event: NewEvent;
  readonly stream: string;
  readonly revision: number;
  readonly recordedAt: number;
  readonly position: number;
  readonly isLast: boolean;
  /** Bytes in front of the record. */
  readonly before: number;
}

function written({ event, stream, revision, recordedAt, position, isLast, before }: Stored): {
  bytes: Buffer;
  size: number;
} {
  const bytes = Buffer.alloc(before + recordSizeMax(stream, event));
  const size = writeRecord(bytes, before, event, stream, revision, recordedAt);
  sealRecord(bytes, before, size, position, isLast);
  return { bytes, size };
}

describe('a record', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(stored, (given) => {
        const { bytes, size } = written(given);
        const { event, stream, revision, recordedAt, position, before } = given;
        expect(size).toBeLessThanOrEqual(recordSizeMax(stream, event));
        expect([claimedSize(bytes, before), bytes.readUInt32LE(before + size - 4)]).toEqual([size, size]);
        expect(looksLikeHeader(bytes, before)).toBe(true);
        expect(isIntact(bytes, before, size, position)).toBe(true);
        expect(endsUnit(bytes, before)).toBe(given.isLast);
        const { data, metadata, ...rest } = readRecord(bytes, before, size, position);
        const { data: givenData, metadata: givenMetadata, ...givenRest } = event;
        expect(rest).toEqual({ ...givenRest, stream, revision, recordedAt, position: BigInt(position) });
        expect(Buffer.from(data).equals(givenData)).toBe(true);
        expect(Buffer.from(metadata).equals(givenMetadata)).toBe(true);
        expect(readRecordId(bytes, before)).toBe(event.id);
        expect(readRecordKey(bytes, before)).toEqual({ stream, revision });
      }),
    );
  });

  it('is not intact when any byte after its length is wrong', () => {
    fc.assert(
      fc.property(stored, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, change) => {
        const { bytes, size } = written(given);
        const at = given.before + 4 + (place % (size - 4));
        bytes[at] = (bytes[at] as number) ^ change;
        expect(isIntact(bytes, given.before, size, given.position)).toBe(false);
      }),
    );
  });

  it('is not intact anywhere but where it was written', () => {
    fc.assert(
      fc.property(stored, fc.integer({ min: 1, max: 2 ** 31 }), (given, shift) => {
        const { bytes, size } = written(given);
        expect(isIntact(bytes, given.before, size, given.position + shift)).toBe(false);
      }),
    );
  });

  it('has a length within bounds or none', () => {
    const bytes = Buffer.alloc(4);
    for (const [size, claimed] of [
      [0, 0],
      [49, 0],
      [50, 50],
      [16 * 1024 * 1024, 16 * 1024 * 1024],
      [16 * 1024 * 1024 + 1, 0],
    ] as const) {
      bytes.writeUInt32LE(size);
      expect(claimedSize(bytes, 0)).toBe(claimed);
    }
  });

  it('takes UUIDs and nothing else for ids', () => {
    const bytes = Buffer.alloc(20);
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        expect(writeUuid(id, bytes, 3)).toBe(true);
        expect(readUuid(bytes, 3)).toBe(id);
      }),
    );
    const good = '0f8fad5b-d9cb-469f-a165-70867728950e';
    for (const bad of ['', 'x', good.slice(1), `${good}0`, good.replace('-', '0'), good.replace('0', 'g')]) {
      expect(writeUuid(bad, bytes, 0)).toBe(false);
    }
  });
});

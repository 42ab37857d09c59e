// Opening after a stop of any kind: reads what the index does not hold yet, and tells a torn tail that was never
// acknowledged (cut off) from bytes that were acknowledged and are gone or wrong (LogDamaged).
import { LogDamaged } from '../../event-log.js';
import type { StreamIndex } from '../index/stream-index.js';
import type { HeadMark } from './head-mark.js';
import { endsUnit, readRecordKey } from './record.js';
import type { RecordReader } from './record-reader.js';
import type { SegmentFiles } from './segment-files.js';

export interface Parts {
  readonly files: SegmentFiles;
  readonly mark: HeadMark;
  readonly records: RecordReader;
  readonly index: StreamIndex;
}

/** Gives the position of the last event, 0 when there is none. @throws LogDamaged */
export async function recover({ files, mark, records, index }: Parts): Promise<number> {
  if (mark.position === undefined) {
    throw new LogDamaged('head.mark cannot be read, so nobody can tell whether the log is whole');
  }
  // The index holds acknowledged events only, and unlike the mark it was synced.
  const acknowledged = Math.max(mark.position, index.from);
  if (acknowledged > files.end) {
    throw new LogDamaged(
      `the log ends at position ${files.end}, but it was acknowledged up to ${acknowledged}: bytes are missing`,
      BigInt(files.end),
    );
  }
  const { intactEnd, whole, lastPosition } = await replay(records, index, Math.max(files.start, index.from));
  if (intactEnd < acknowledged) throw records.damaged(intactEnd);
  // A file may have been begun for an append that never came.
  const wholeEnd = files.skipHeader(whole);
  if (wholeEnd < files.end) files.cutAt(wholeEnd);
  if (mark.position !== wholeEnd) mark.write(wholeEnd);
  mark.sync();
  return lastPosition;
}

interface Replayed {
  /** Where the first record that is not intact would begin. */
  readonly intactEnd: number;
  /** Where the last whole append ends. */
  readonly whole: number;
  readonly lastPosition: number;
}

async function replay(records: RecordReader, index: StreamIndex, from: number): Promise<Replayed> {
  const scan = records.scan(from);
  let whole = from;
  let lastPosition = records.before(from) ?? 0;
  let unit: { stream: string; revision: number; position: number }[] = [];
  for (;;) {
    const next = scan.next();
    if (next.done) return { intactEnd: next.value, whole, lastPosition };
    const { bytes, at, size, position } = next.value;
    unit.push({ ...readRecordKey(bytes, at), position });
    if (!endsUnit(bytes, at)) continue;
    for (const event of unit) index.add(event.stream, event.revision, event.position);
    unit = [];
    whole = position + size;
    lastPosition = position;
    await index.settle(whole);
  }
}

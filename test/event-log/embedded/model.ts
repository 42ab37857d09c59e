// The log's rules said a second time, in memory and as plainly as possible: what the embedded log does must be what this
// does, whatever the sequence of calls.
import type { ExpectedRevision } from '../../../src/event-log/event-log.js';

/** An answer, or the code of the refusal with the actual revision where there is one. */
export type Outcome =
  | { readonly revision: number }
  | { readonly refused: 'wrong-expected-revision'; readonly actual: number }
  | { readonly refused: 'stream-deleted' };

interface Metadata {
  readonly maxCount?: number;
  readonly truncateBefore?: number;
}

interface ModelStream {
  events: string[];
  metadata: Metadata;
  metadataVersions: number;
  softDeleted: boolean;
  tombstoned: boolean;
  /** Ids written since the last restart, with their revisions. */
  recent: Map<string, number>;
}

const deleted: Outcome = { refused: 'stream-deleted' };

export class LogModel {
  private readonly streams = new Map<string, ModelStream>();
  /** All ordinary events in the order they were written. */
  readonly everything: string[] = [];

  stream(name: string): ModelStream {
    let stream = this.streams.get(name);
    if (!stream) {
      stream = {
        events: [],
        metadata: {},
        metadataVersions: 0,
        softDeleted: false,
        tombstoned: false,
        recent: new Map(),
      };
      this.streams.set(name, stream);
    }
    return stream;
  }

  restart(): void {
    for (const stream of this.streams.values()) stream.recent.clear();
  }

  append(name: string, ids: readonly string[], expected: ExpectedRevision): Outcome {
    const stream = this.stream(name);
    const current = stream.events.length - 1;
    const wrong: Outcome = { refused: 'wrong-expected-revision', actual: current };
    if (stream.tombstoned) return deleted;
    if (expected === 'stream_exists') {
      if (stream.softDeleted) return deleted;
      if (current < 0 && stream.metadataVersions === 0) return wrong;
    }
    if (expected === 'any' || expected === 'stream_exists') {
      const known = ids.map((id) => stream.recent.get(id));
      if (known.length > 0 && known[0] !== undefined) {
        return known.includes(undefined) ? wrong : { revision: known.at(-1) as number };
      }
      return this.write(stream, ids);
    }
    const at = expected === 'no_stream' ? -1 : expected;
    if (at === current) return this.write(stream, ids);
    if (at > current || ids.length === 0) return wrong;
    if (ids.every((id, i) => stream.events[at + 1 + i] === id)) return { revision: at + ids.length };
    const firstDiffers = stream.events[at + 1] !== ids[0];
    if (firstDiffers && expected === 'no_stream' && stream.softDeleted) return this.write(stream, ids);
    return wrong;
  }

  setMetadata(name: string, metadata: Metadata): Outcome {
    const stream = this.stream(name);
    if (stream.tombstoned) return deleted;
    const revision = stream.metadataVersions++;
    stream.metadata = metadata;
    if (stream.softDeleted) this.revive(stream, stream.events.length);
    return { revision };
  }

  delete(name: string, expected: ExpectedRevision): Outcome {
    const stream = this.stream(name);
    const refusal = this.mayDelete(stream, expected);
    if (refusal) return refusal;
    const current = stream.events.length - 1;
    if (current < 0 && stream.metadataVersions === 0) return { refused: 'wrong-expected-revision', actual: -1 };
    stream.metadata = {};
    stream.metadataVersions += 1;
    stream.softDeleted = true;
    return { revision: current };
  }

  tombstone(name: string, expected: ExpectedRevision): Outcome {
    const stream = this.stream(name);
    const refusal = this.mayDelete(stream, expected);
    if (refusal) return refusal;
    stream.tombstoned = true;
    return { revision: -1 };
  }

  /** Undefined: reading is refused. */
  visible(name: string): readonly string[] | undefined {
    const stream = this.stream(name);
    if (stream.tombstoned) return undefined;
    if (stream.softDeleted) return [];
    const byCount = stream.metadata.maxCount === undefined ? 0 : stream.events.length - stream.metadata.maxCount;
    return stream.events.slice(Math.max(0, byCount, stream.metadata.truncateBefore ?? 0));
  }

  private mayDelete(stream: ModelStream, expected: ExpectedRevision): Outcome | undefined {
    const current = stream.events.length - 1;
    if (stream.tombstoned) return deleted;
    if (expected === 'any') return undefined;
    if (expected === 'stream_exists') {
      if (stream.softDeleted) return deleted;
      return current < 0 && stream.metadataVersions === 0
        ? { refused: 'wrong-expected-revision', actual: current }
        : undefined;
    }
    const at = expected === 'no_stream' ? -1 : expected;
    if (at === current || (expected === 'no_stream' && stream.softDeleted)) return undefined;
    return { refused: 'wrong-expected-revision', actual: current };
  }

  private write(stream: ModelStream, ids: readonly string[]): Outcome {
    const first = stream.events.length;
    for (const id of ids) {
      stream.recent.set(id, stream.events.length);
      stream.events.push(id);
      this.everything.push(id);
    }
    if (stream.softDeleted) this.revive(stream, first);
    return { revision: stream.events.length - 1 };
  }

  private revive(stream: ModelStream, first: number): void {
    stream.softDeleted = false;
    stream.metadata = { ...stream.metadata, truncateBefore: first };
    stream.metadataVersions += 1;
  }
}

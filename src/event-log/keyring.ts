// The data keys of people: made at the first personal text about somebody, wrapped by the master key, kept as an event
// in the person's own stream `subjectkey-<memberId>`. Erasing a person is making that stream unreadable.
import { randomBytes, randomUUID } from 'node:crypto';
import { type Clock, toIso } from '../kernel/clock.js';
import { LruMap } from '../kernel/lru-map.js';
import type { EventMetadata } from '../kernel/message.js';
import { streamName } from '../kernel/message.js';
import { type EventLog, type LogEvent, type NewEvent, StreamDeleted, WrongExpectedRevision } from './event-log.js';
import { textOf } from './event-text.js';
import { deriveKey, keyBytes, masterKeyId, open, seal } from './sealing.js';

export const subjectKeyCreated = 'SubjectKeyCreated';
/** Names the master key that a log is written with; its newest event holds. */
const masterKeyStream = 'hominglog-masterkey';
/** Keys held in memory; 32 bytes each and as much again around it. */
const cachedKeysMax = 100_000;

interface StoredKey {
  readonly memberId: string;
  /** Names the master key that wrapped it. */
  readonly wrappedBy: string;
  readonly wrapped: string;
}

/** The person is erased: nothing personal can be recorded about them any more. */
export class SubjectErased extends Error {
  constructor(readonly memberId: string) {
    super(`${streamName('subjectkey', memberId)}: the key is destroyed, the person is erased`);
    this.name = 'SubjectErased';
  }
}

/** The log's personal keys need a master key that was not given. A fault of the configuration, never "no text". */
export class MasterKeyMissing extends Error {
  constructor(readonly wrappedBy: string) {
    super(
      `this log was written with master key ${wrappedBy}, which is not the configured one: start with the key of this log (HOMING_MASTER_KEY, or master.key in the data directory)`,
    );
    this.name = 'MasterKeyMissing';
  }
}

export interface KeyringOptions {
  readonly log: Pick<EventLog, 'append' | 'readStream'>;
  /** 32 bytes; wraps new keys. */
  readonly masterKey: Buffer;
  /** Earlier master keys: they still unwrap what they wrapped. */
  readonly formerMasterKeys?: readonly Buffer[];
  readonly clock: Clock;
}

export class Keyring {
  private readonly current: string;
  private readonly wrappingKeys = new Map<string, Buffer>();
  private readonly keys = new LruMap<string, Buffer>(cachedKeysMax);
  private readonly inFlight = new Map<string, Promise<Buffer | undefined>>();

  constructor(private readonly options: KeyringOptions) {
    this.current = masterKeyId(options.masterKey);
    for (const master of [options.masterKey, ...(options.formerMasterKeys ?? [])]) {
      this.wrappingKeys.set(masterKeyId(master), deriveKey(master, 'wrap'));
    }
  }

  /**
   * To be called before anything is written: a log goes on with the master key it was begun with (or one that was given
   * as its former). @throws MasterKeyMissing
   */
  async begin(): Promise<void> {
    for (;;) {
      const { revision, keyId } = await this.begunWith();
      if (keyId === this.current) return;
      if (keyId !== undefined && !this.wrappingKeys.has(keyId)) throw new MasterKeyMissing(keyId);
      try {
        const event = this.event('MasterKeyUsed', { keyId: this.current });
        await this.options.log.append(masterKeyStream, [event], revision < 0 ? 'no_stream' : revision);
        return;
      } catch (error) {
        // Another process begins at the same moment: look what it wrote.
        if (!(error instanceof WrongExpectedRevision)) throw error;
      }
    }
  }

  private async begunWith(): Promise<{ readonly revision: number; readonly keyId?: string }> {
    for await (const page of this.options.log.readStream(masterKeyStream, { direction: 'backwards', limit: 1 })) {
      const [newest] = page;
      if (!newest) continue;
      const { keyId } = JSON.parse(textOf(newest.data)) as { keyId: string };
      return { revision: newest.revision, keyId };
    }
    return { revision: -1 };
  }

  /** The person's key, undefined when there is none (never made, or destroyed). */
  async find(memberId: string): Promise<Buffer | undefined> {
    return this.keys.get(memberId) ?? this.once(`find ${memberId}`, memberId, () => this.read(memberId));
  }

  /** The person's key, made when there is none. @throws SubjectErased when it was destroyed. */
  async findOrMake(memberId: string): Promise<Buffer> {
    const key =
      this.keys.get(memberId) ?? (await this.once(`make ${memberId}`, memberId, () => this.readOrMake(memberId)));
    if (!key) throw new SubjectErased(memberId);
    return key;
  }

  /** The person was erased: forget the key at once. */
  forget(memberId: string): void {
    this.keys.delete(memberId);
  }

  /** Many callers at the same time share one read. */
  private once(work: string, memberId: string, run: () => Promise<Buffer | undefined>): Promise<Buffer | undefined> {
    const running = this.inFlight.get(work);
    if (running) return running;
    const started = run()
      .then((key) => {
        if (key) this.keys.set(memberId, key);
        return key;
      })
      .finally(() => this.inFlight.delete(work));
    this.inFlight.set(work, started);
    return started;
  }

  private async read(memberId: string): Promise<Buffer | undefined> {
    try {
      const stream = streamName('subjectkey', memberId);
      for await (const page of this.options.log.readStream(stream, { direction: 'backwards', limit: 1 })) {
        const newest = page[0];
        if (newest?.type === subjectKeyCreated) return this.unwrap(newest);
      }
      return undefined;
    } catch (error) {
      if (error instanceof StreamDeleted) return undefined;
      throw error;
    }
  }

  private async readOrMake(memberId: string): Promise<Buffer | undefined> {
    const found = await this.read(memberId);
    if (found) return found;
    const key = randomBytes(keyBytes);
    try {
      await this.options.log.append(streamName('subjectkey', memberId), [this.keyEvent(memberId, key)], 'no_stream');
      return key;
    } catch (error) {
      // Somebody else was first (their key holds), or the stream is erased and holds none.
      if (error instanceof WrongExpectedRevision) return this.read(memberId);
      if (error instanceof StreamDeleted) return undefined;
      throw error;
    }
  }

  private keyEvent(memberId: string, key: Buffer): NewEvent {
    const wrapping = this.wrappingKeys.get(this.current) as Buffer;
    const stored: StoredKey = { memberId, wrappedBy: this.current, wrapped: seal(wrapping, key, ['key', memberId]) };
    return this.event(subjectKeyCreated, stored);
  }

  private event(type: string, data: object): NewEvent {
    const now = toIso(this.options.clock.now());
    const metadata: EventMetadata = {
      schemaVersion: 1,
      actor: { kind: 'system', id: 'keyring' },
      occurredAt: now,
      receivedAt: now,
      correlationId: randomUUID(),
      source: 'server',
    };
    return {
      id: randomUUID(),
      type,
      contentType: 'application/json',
      data: Buffer.from(JSON.stringify(data)),
      metadata: Buffer.from(JSON.stringify(metadata)),
    };
  }

  private unwrap(event: LogEvent): Buffer {
    const stored = JSON.parse(textOf(event.data)) as StoredKey;
    const wrapping = this.wrappingKeys.get(stored.wrappedBy);
    if (!wrapping) throw new MasterKeyMissing(stored.wrappedBy);
    const key = open(wrapping, stored.wrapped, ['key', stored.memberId]);
    if (key?.byteLength !== keyBytes) throw new Error(`${event.stream}: the wrapped key is damaged`);
    return key;
  }
}

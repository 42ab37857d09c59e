// API keys as events of one stream, `apikeys-all`. Every process follows the stream, so a key that is revoked anywhere
// is refused everywhere.
import { randomUUID } from 'node:crypto';
import { type EventLog, type LogEvent, type NewEvent, WrongExpectedRevision } from '../../event-log/event-log.js';
import { textOf } from '../../event-log/event-text.js';
import {
  type ApiKey,
  hashSecret,
  isScope,
  type KeyDirectory,
  makeToken,
  parseToken,
  type Scope,
  sameHash,
} from '../../http/access/api-key.js';
import { type Clock, toIso } from '../../kernel/clock.js';
import type { EventMetadata } from '../../kernel/message.js';
import { Rejection } from '../../kernel/rejection.js';

export const keyStream = 'apikeys-all';
/** Attempts to write when other processes write keys too. */
const attemptsMax = 5;

interface KeyCreated {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
}
/** All that may be told of a key. */
export interface ShownKey extends ApiKey {
  readonly createdAt: string;
  readonly revokedAt?: string;
}
interface StoredKey extends ShownKey {
  readonly hash: string;
}

export interface KeyToMake {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Given by whoever must know it beforehand; absent: a new one is made. */
  readonly token?: string;
}

export class ApiKeyStore implements KeyDirectory {
  private readonly keys = new Map<string, StoredKey>();
  private revision = -1;
  private readonly stop = new AbortController();
  private following: Promise<void> | undefined;

  constructor(
    private readonly log: Pick<EventLog, 'append' | 'readStream' | 'subscribeStream'>,
    private readonly clock: Clock,
  ) {}

  /** Reads the keys there are; with `follow`, goes on reading until `close`. */
  async start(follow: boolean): Promise<void> {
    await this.refresh();
    if (follow) this.following = this.follow();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.following;
  }

  find(token: string): ApiKey | undefined {
    const parsed = parseToken(token);
    const key = parsed && this.keys.get(parsed.id);
    // Compared also where there is nothing to compare with: the time it takes tells nothing.
    const same = sameHash(hashSecret(parsed?.secret ?? ''), key?.hash ?? hashSecret('none'));
    return key && same && key.revokedAt === undefined ? key : undefined;
  }

  get(id: string): ApiKey | undefined {
    const key = this.keys.get(id);
    return key?.revokedAt === undefined ? key : undefined;
  }

  /** Without secrets and hashes. */
  list(): readonly ShownKey[] {
    return [...this.keys.values()].map(({ id, name, scopes, createdAt, revokedAt }) =>
      revokedAt === undefined ? { id, name, scopes, createdAt } : { id, name, scopes, createdAt, revokedAt },
    );
  }

  /** Gives back the token: it cannot be shown again. @throws Rejection key-exists when a given token's id is taken */
  async create({ name, scopes, token = makeToken() }: KeyToMake): Promise<{ id: string; token: string }> {
    const parsed = parseToken(token);
    if (!parsed || !scopes.every(isScope)) throw new TypeError('not a key token, or not a scope');
    const hash = hashSecret(parsed.secret);
    await this.write('ApiKeyCreated', () => {
      const held = this.keys.get(parsed.id);
      if (!held) return { keyId: parsed.id, name, scopes, hash } satisfies KeyCreated;
      if (sameHash(held.hash, hash) && held.revokedAt === undefined) return undefined;
      throw new Rejection('key-exists', 'a key has this id already');
    });
    return { id: parsed.id, token };
  }

  /** Again: no harm. @throws Rejection key-not-found */
  async revoke(id: string): Promise<void> {
    await this.write('ApiKeyRevoked', () => {
      const held = this.keys.get(id);
      if (!held) throw new Rejection('key-not-found', 'no such key');
      return held.revokedAt === undefined ? { keyId: id } : undefined;
    });
  }

  private async write(type: string, decide: () => object | undefined): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await this.refresh();
      const data = decide();
      if (!data) return;
      try {
        const expected = this.revision < 0 ? 'no_stream' : this.revision;
        await this.log.append(keyStream, [this.eventOf(type, data)], expected);
        await this.refresh();
        return;
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision) || attempt === attemptsMax) throw error;
      }
    }
  }

  private eventOf(type: string, data: object): NewEvent {
    const now = toIso(this.clock.now());
    const metadata: EventMetadata = {
      schemaVersion: 1,
      actor: { kind: 'system', id: 'api-keys' },
      occurredAt: now,
      receivedAt: now,
      correlationId: randomUUID(),
      source: 'server',
    };
    const bytes = (value: object) => Buffer.from(JSON.stringify(value), 'utf8');
    const id = randomUUID();
    return { id, type, contentType: 'application/json', data: bytes(data), metadata: bytes(metadata) };
  }

  private async refresh(): Promise<void> {
    for await (const page of this.log.readStream(keyStream, { from: this.revision + 1 })) page.forEach(this.apply);
  }

  private async follow(): Promise<void> {
    const after = this.revision < 0 ? {} : { after: this.revision };
    const pages = this.log.subscribeStream(keyStream, { ...after, signal: this.stop.signal });
    try {
      for await (const page of pages) if (page.kind === 'events') page.events.forEach(this.apply);
    } catch (error) {
      // Closing ends the subscription; anything else it comes back from by itself.
      if (!this.stop.signal.aborted) throw error;
    }
  }

  private readonly apply = (event: LogEvent): void => {
    if (event.revision <= this.revision) return;
    this.revision = event.revision;
    const data = JSON.parse(textOf(event.data)) as KeyCreated;
    const at = (JSON.parse(textOf(event.metadata)) as EventMetadata).occurredAt;
    if (event.type === 'ApiKeyCreated') {
      const { keyId, name, scopes, hash } = data;
      this.keys.set(keyId, { id: keyId, name, scopes, hash, createdAt: at });
    } else if (event.type === 'ApiKeyRevoked') {
      const held = this.keys.get(data.keyId);
      if (held) this.keys.set(data.keyId, { ...held, revokedAt: at });
    }
  };
}

// What every process that decides or decodes shares: keys of people, the codec, the store of streams, the clock, and the
// keys of callers.
import type { Logger } from 'pino';
import { ClockRecord, recordedClock } from '../commands/clock/clock-record.js';
import type { CommandSecrets } from '../commands/command-context.js';
import { ApiKeyStore, type KeyToMake } from '../commands/keys/api-key.store.js';
import { ObservationWriter } from '../commands/observations/observation-writer.js';
import type { Config } from '../config.js';
import { eventCatalog } from '../domain/catalog.js';
import { type IntentDecider, intentDecider } from '../domain/intent/intent.decider.js';
import { EventCodec, personalTable } from '../event-log/codec.js';
import { Keyring } from '../event-log/keyring.js';
import { deriveKey } from '../event-log/sealing.js';
import { EventStore } from '../event-log/transact.js';
import { MemberTokens } from '../http/access/member-token.js';
import { ImportClock, SystemClock } from '../http/request/service-clock.js';
import type { Clock } from '../kernel/clock.js';
import type { Engines, Opened } from './engines.js';

export interface WriteSide {
  readonly codec: EventCodec;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly clockRecord: ClockRecord;
  readonly keys: ApiKeyStore;
  readonly tokens: MemberTokens;
  readonly secrets: CommandSecrets;
  readonly observations: ObservationWriter;
  readonly intentDecider: IntentDecider;
}

function secretsOf(masterKey: Buffer): CommandSecrets {
  return {
    requestHash: deriveKey(masterKey, 'request-hash'),
    shareCode: deriveKey(masterKey, 'share-code'),
    visitor: deriveKey(masterKey, 'visitor'),
  };
}

export async function openWriteSide(
  { masterKey, clock: kind, eventLog, abandonedAfterMs }: Config,
  { log, isLogShared }: Engines,
  logger: Logger,
  opened: Opened,
): Promise<WriteSide> {
  const systemClock = new SystemClock();
  const startMs = kind === 'import' ? await recordedClock(log) : 0;
  const clockRecord = new ClockRecord(log, startMs, (error) =>
    logger.error({ err: error }, 'the clock is not written'),
  );
  const clock = kind === 'import' ? new ImportClock(startMs, clockRecord.moved) : systemClock;
  opened.add('import clock', () => clockRecord.flush());
  const keyring = new Keyring({ log, masterKey, clock: systemClock });
  await keyring.begin();
  const codec = new EventCodec(keyring, personalTable(eventCatalog));
  const store = new EventStore({ log, codec, shared: isLogShared });
  const keys = new ApiKeyStore(log, systemClock);
  await keys.start(isLogShared);
  opened.add('API keys', () => keys.close());
  return {
    codec,
    store,
    clock,
    clockRecord,
    keys,
    tokens: new MemberTokens(deriveKey(masterKey, 'member-token'), () => systemClock.now()),
    secrets: secretsOf(masterKey),
    observations: new ObservationWriter(store, eventLog.appendQueueBytesMax),
    intentDecider: intentDecider(abandonedAfterMs),
  };
}

/** The keys of a log that has none; one per kind of caller. */
const firstKeys: readonly KeyToMake[] = [
  { name: 'first app key', scopes: ['app'] },
  { name: 'first analyst key', scopes: ['analyst'] },
  { name: 'first import key', scopes: ['import'] },
  { name: 'first admin key', scopes: ['admin'] },
];

export interface MadeKey {
  readonly scopes: readonly string[];
  readonly token: string;
}

/** Keys that were given exist afterwards; without any, a log without keys gets its first. Gives back what was made. */
export async function ensureKeys(keys: ApiKeyStore, given: readonly KeyToMake[] | undefined): Promise<MadeKey[]> {
  if (given) {
    for (const key of given) await keys.create(key);
    return [];
  }
  if (keys.list().length > 0) return [];
  const made: MadeKey[] = [];
  for (const key of firstKeys) made.push({ scopes: key.scopes, token: (await keys.create(key)).token });
  return made;
}

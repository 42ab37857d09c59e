// One key per person, made once whoever asks first, wrapped by a master key that can be changed.
import { describe, expect, it } from '@jest/globals';
import { type LogEvent, StreamDeleted } from '../../src/event-log/event-log.js';
import { Keyring, MasterKeyMissing, SubjectErased } from '../../src/event-log/keyring.js';
import { MemoryLog } from './memory-log.js';

const clock = { now: () => 1_750_000_000_000 };
const masterKey = Buffer.alloc(32, 7);

function keyringOn(log: MemoryLog, options: { masterKey?: Buffer; formerMasterKeys?: Buffer[] } = {}) {
  return new Keyring({ log, masterKey, clock, ...options });
}

describe('the keyring', () => {
  it('makes a key once and finds it after a restart', async () => {
    const log = new MemoryLog();
    const made = await keyringOn(log).findOrMake('anna');
    expect(made).toHaveLength(32);
    expect(await keyringOn(log).find('anna')).toEqual(made);
    expect(log.stream('subjectkey-anna')).toHaveLength(1);
  });

  it('finds none where none was made, and makes none by looking', async () => {
    const log = new MemoryLog();
    expect(await keyringOn(log).find('anna')).toBeUndefined();
    expect(log.events).toHaveLength(0);
  });

  it('gives everybody the same key when many ask at once, in one process and in several', async () => {
    const log = new MemoryLog();
    const processes = Array.from({ length: 5 }, () => keyringOn(log));
    const asks = processes.flatMap((keyring) => [keyring.findOrMake('anna'), keyring.findOrMake('anna')]);
    const keys = new Set((await Promise.all(asks)).map((key) => key.toString('hex')));
    expect(keys.size).toBe(1);
    expect(log.stream('subjectkey-anna')).toHaveLength(1);
  });

  it('never writes the key itself, nor a text that fits another person', async () => {
    const log = new MemoryLog();
    const key = await keyringOn(log).findOrMake('anna');
    const [event] = log.stream('subjectkey-anna');
    const text = Buffer.from(event?.data ?? []).toString();
    for (const encoding of ['hex', 'base64', 'base64url'] as const) expect(text).not.toContain(key.toString(encoding));
    const forged = new MemoryLog();
    await forged.append(
      'subjectkey-bert',
      [{ ...(event as LogEvent), data: Buffer.from(text.replace('anna', 'bert')) }],
      'any',
    );
    await expect(keyringOn(forged).find('bert')).rejects.toThrow('damaged');
  });

  it('opens old keys after the master key was changed, and says so when it lacks the old one', async () => {
    const log = new MemoryLog();
    const made = await keyringOn(log).findOrMake('anna');
    const next = Buffer.alloc(32, 8);
    const rotated = keyringOn(log, { masterKey: next, formerMasterKeys: [masterKey] });
    expect(await rotated.findOrMake('anna')).toEqual(made);
    await rotated.findOrMake('bert');
    expect(await keyringOn(log, { masterKey: next }).find('bert')).toHaveLength(32);
    await expect(keyringOn(log, { masterKey: next }).find('anna')).rejects.toThrow(MasterKeyMissing);
  });

  it('does not begin on a log that was written with another master key', async () => {
    const log = new MemoryLog();
    await Promise.all([keyringOn(log).begin(), keyringOn(log).begin()]);
    await keyringOn(log).begin();
    expect(log.events).toHaveLength(1);
    const other = Buffer.alloc(32, 9);
    await expect(keyringOn(log, { masterKey: other }).begin()).rejects.toThrow(MasterKeyMissing);
    await keyringOn(log, { masterKey: other, formerMasterKeys: [masterKey] }).begin();
    await expect(keyringOn(log).begin()).rejects.toThrow(MasterKeyMissing);
    await keyringOn(log, { masterKey: other }).begin();
    expect(log.events).toHaveLength(2);
  });

  it('makes no new key for somebody whose key was destroyed', async () => {
    const log = new MemoryLog();
    const destroyed = () => Promise.reject(new StreamDeleted('subjectkey-anna'));
    const gone = () => ({ [Symbol.asyncIterator]: () => ({ next: destroyed }) });
    const keyring = new Keyring({
      log: { append: destroyed, readStream: gone },
      masterKey,
      clock,
    });
    expect(await keyring.find('anna')).toBeUndefined();
    await expect(keyring.findOrMake('anna')).rejects.toThrow(SubjectErased);
    expect(log.events).toHaveLength(0);
  });

  it('asks again after a failure of the log', async () => {
    const log = new MemoryLog();
    const keyring = keyringOn(log);
    log.fault = () => Promise.reject(new Error('disk on fire'));
    await expect(keyring.findOrMake('anna')).rejects.toThrow('disk on fire');
    log.fault = async () => {};
    expect(await keyring.findOrMake('anna')).toHaveLength(32);
  });
});

// The contract bites: for every rule a fault is planted under a sound log, and the rule's check must fail.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { EventLog } from '../../src/event-log/event-log.js';
import { type Fault, faults } from './contract/planted-faults.js';
import { failure, type Rule } from './contract/rule.js';
import { rulesByChapter } from './event-log.contract.js';
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js';

const appendBytesMax = 256 * 1024;
/** A fault that makes a check wait is noticed after this many ms. */
const patienceMs = 1_500;

/** The sound log with the fault's methods in front of it. */
function broken(log: EventLog, fault: Fault): EventLog {
  const overlay = fault(log);
  return new Proxy(log, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in overlay ? overlay : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('the contract of the event log', () => {
  let directory: TemporaryDirectory;
  let log: EmbeddedEventLog;
  const open = async (): Promise<EmbeddedEventLog> => {
    log = await EmbeddedEventLog.open(directory.path, { appendBytesMax, durable: false });
    return log;
  };
  beforeAll(async () => {
    directory = temporaryDirectory();
    await open();
  });
  afterAll(async () => {
    await log.close();
    directory.remove();
  });

  const rules: readonly Rule[] = Object.values(rulesByChapter).flat();

  it('has a fault for every rule and no rule twice', () => {
    expect(rules.map((rule) => rule.says).toSorted()).toEqual(Object.keys(faults).toSorted());
  });

  it.each(rules)('notices when it is not true that the log $says', async (rule) => {
    const fault = faults[rule.says] as Fault;
    const restart = async (): Promise<EventLog> => {
      await log.close();
      return broken(await open(), fault);
    };
    const check = rule.check({ log: broken(log, fault), restart, appendBytesMax, allOrNothing: true, patienceMs });
    const reason = await failure(check);
    // A check that stumbles over the wrapper itself shows nothing.
    expect(reason).not.toBeInstanceOf(TypeError);
  });
});

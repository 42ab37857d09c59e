// The contract bites: for every rule a fault is planted under a sound log, and the rule's check must fail. The rules about
// a restart are also checked on logs that lose something only when they are opened again.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { EventLog } from '../../src/event-log/event-log.js';
import { type Fault, faults } from './contract/planted-faults.js';
import { type Forgetful, forgetting, restartFaults } from './contract/restart-faults.js';
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

  const restartRules = rules.filter((rule) => rule.needsRestart);
  it('has rules about a restart, and each is broken by some fault of it', () => {
    const broken = new Set(restartFaults.flatMap((fault) => fault.noticedBy));
    expect(restartRules.map((rule) => rule.says).toSorted()).toEqual([...broken].toSorted());
  });

  it('keeps them on a log that is copied whole at the restart: it is the fault that is noticed', async () => {
    for (const rule of restartRules) await checkAcrossRestart(rule, { fault: 'nothing', keeps: () => true });
  });

  const planted = restartFaults.flatMap((fault) =>
    restartRules.filter((rule) => fault.noticedBy.includes(rule.says)).map((rule) => ({ ...fault, rule })),
  );
  it.each(planted)('notices that a restart $fault where the log $rule.says', async ({ rule, ...fault }) => {
    const reason = await failure(checkAcrossRestart(rule, fault));
    expect(reason).not.toBeInstanceOf(TypeError);
  });

  /** A log of its own for every check, so that what is forgotten is what the rule wrote. */
  async function checkAcrossRestart(rule: Rule, fault: Forgetful): Promise<void> {
    const [first, second] = [temporaryDirectory(), temporaryDirectory()];
    // One moment for both, so that a copy is the same to the millisecond.
    const at = Date.now();
    const options = { appendBytesMax, durable: false, now: () => at };
    const before = await EmbeddedEventLog.open(first.path, options);
    let after: EmbeddedEventLog | undefined;
    const restart = async (): Promise<EventLog> => {
      after = await EmbeddedEventLog.open(second.path, options);
      return forgetting(before, after, fault);
    };
    try {
      await rule.check({ log: before, restart, appendBytesMax, allOrNothing: true, patienceMs });
    } finally {
      await Promise.all([before.close(), after?.close()]);
      for (const made of [first, second]) made.remove();
    }
  }
});
